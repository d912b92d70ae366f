"""The PrometheusRule of one service, from the moment on when there is a model to serve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.alert import Alert
from whisper_operator.build.alerts import alerts
from whisper_operator.build.meta import child
from whisper_operator.objects.kinds import PROMETHEUS_RULE
from whisper_operator.resolve.resolved import Resolved

RUNBOOKS: Final = "https://github.com/whisper-operator/whisper-operator/blob/main/docs/runbooks"


def build(resolved: Resolved) -> Manifest | None:
    """None while the first model is being fetched: a service that has not started yet is not down."""
    service, wanted = resolved.service, resolved.service.spec.monitoring.alerts
    if wanted is None or PROMETHEUS_RULE not in resolved.installation.kinds or resolved.model.admitted is None:
        return None
    name = service.metadata.name
    groups = [{"name": f"whisper-{name}", "rules": rules(service)}]
    return child(service, PROMETHEUS_RULE, name, labels=wanted.labels, spec={"groups": groups})


def rules(service: WhisperService) -> list[Manifest]:
    """The alerting rules of one service."""
    wanted = service.spec.monitoring.alerts
    return [_rule(service, alert, wanted.alert_labels if wanted else {}) for alert in alerts(service)]


def _rule(service: WhisperService, alert: Alert, labels: Mapping[str, str]) -> Manifest:
    """`labels`: the user's own, beside those that tell the alert and its service."""
    namespace, name = service.metadata.namespace, service.metadata.name
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.lasting,
        "labels": {**labels, "severity": alert.severity, "namespace": namespace, "whisperservice": name},
        "annotations": {
            "summary": f"WhisperService {namespace}/{name}: {alert.summary}",
            "description": alert.description,
            "runbook_url": f"{RUNBOOKS}/{alert.name}.md",
        },
    }
