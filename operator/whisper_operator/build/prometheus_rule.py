"""The PrometheusRule of one service, from the moment on when there is a model to serve."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.alerts import rules
from whisper_operator.build.meta import child, sealed
from whisper_operator.objects.kinds import PROMETHEUS_RULE
from whisper_operator.observe.installation import Env
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve.model_change import admit


def build(service: WhisperService, observed: Observed, env: Env) -> Manifest | None:
    """None while the first model is being fetched: a service that has not started yet is not down."""
    wanted = service.spec.monitoring.alerts
    if wanted is None or PROMETHEUS_RULE not in env.kinds or admit(service, observed).model is None:
        return None
    name = service.metadata.name
    groups = [{"name": f"whisper-{name}", "rules": rules(service)}]
    manifest = child(service, PROMETHEUS_RULE, name, spec={"groups": groups})
    manifest["metadata"]["labels"] = {**wanted.labels, **manifest["metadata"]["labels"]}
    return sealed(manifest)
