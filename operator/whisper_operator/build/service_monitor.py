"""The ServiceMonitor, where the cluster has the Prometheus operator's API."""

from __future__ import annotations

from whisper_operator.api.units import canonical_duration, duration_seconds
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.meta import child, sealed
from whisper_operator.objects import names
from whisper_operator.objects.kinds import SERVICE_MONITOR
from whisper_operator.observe.installation import Env
from whisper_operator.observe.observed import Observed
from whisper_runtime.contract.network import METRICS_PATH


def build(service: WhisperService, observed: Observed, env: Env) -> Manifest | None:
    wanted = service.spec.monitoring.service_monitor
    if wanted is None or SERVICE_MONITOR not in env.kinds:
        return None
    # Users may write 90s1m, which Prometheus refuses.
    interval = canonical_duration(duration_seconds(wanted.interval))
    manifest = child(
        service,
        SERVICE_MONITOR,
        service.metadata.name,
        spec={
            "selector": {"matchLabels": names.selector(service.metadata.name)},
            "endpoints": [{"port": "metrics", "path": METRICS_PATH, "interval": interval}],
        },
    )
    manifest["metadata"]["labels"] = {**wanted.labels, **manifest["metadata"]["labels"]}
    return sealed(manifest)
