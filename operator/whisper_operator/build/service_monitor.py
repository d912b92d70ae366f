"""The ServiceMonitor, where the cluster has the Prometheus operator's API."""

from __future__ import annotations

from whisper_operator.api.spec.observability import ServiceMonitorSpec
from whisper_operator.api.units import canonical_duration, duration_seconds
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import SERVICE_MONITOR
from whisper_operator.resolve.resolved import Resolved
from whisper_runtime.contract.network import METRICS_PATH


def build(resolved: Resolved) -> Manifest | None:
    service, wanted = resolved.service, resolved.service.spec.monitoring.service_monitor
    if wanted is None or SERVICE_MONITOR not in resolved.installation.kinds:
        return None
    return child(
        service,
        SERVICE_MONITOR,
        service.metadata.name,
        labels=wanted.labels,
        spec={
            "selector": {"matchLabels": _scraped(resolved)},
            "endpoints": [_endpoint(wanted)],
        },
    )


def _scraped(resolved: Resolved) -> dict[str, str]:
    """The labels of the Services for metrics: of all components where the front has one, too."""
    selector = names.selector(resolved.service.metadata.name)
    if resolved.front is None or not resolved.front.is_there:
        return selector
    return {name: value for name, value in selector.items() if name != names.LABEL_COMPONENT}


def _endpoint(wanted: ServiceMonitorSpec) -> Manifest:
    return {
        "port": "metrics",
        "path": METRICS_PATH,
        "interval": _duration(wanted.interval),
        **({"scrapeTimeout": _duration(wanted.scrape_timeout)} if wanted.scrape_timeout else {}),
        **({"relabelings": list(wanted.relabelings)} if wanted.relabelings else {}),
        **({"metricRelabelings": list(wanted.metric_relabelings)} if wanted.metric_relabelings else {}),
    }


def _duration(written: str) -> str:
    """Users may write 90s1m, which Prometheus refuses."""
    return canonical_duration(duration_seconds(written))
