"""The Services for metrics and probes: reachable within the cluster only, whatever type the clients' Service has."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build.client_service import families
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import SERVICE
from whisper_operator.resolve.resolved import Resolved
from whisper_runtime.contract.network import METRICS_PORT


def build(resolved: Resolved) -> Manifest:
    service = resolved.service
    name = names.metrics_service(service.metadata.name)
    return child(service, SERVICE, name, spec=_spec(service, names.SERVER))


def of_front(resolved: Resolved) -> Manifest | None:
    """The same for the front's pods; None where there are none."""
    service = resolved.service
    if resolved.front is None or not resolved.front.is_there:
        return None
    name = names.front_metrics(service.metadata.name)
    return child(service, SERVICE, name, component=names.FRONT, spec=_spec(service, names.FRONT))


def _spec(service: WhisperService, component: str) -> Manifest:
    return {
        "type": "ClusterIP",
        "selector": names.selector(service.metadata.name, component),
        "ports": [{"name": "metrics", "port": METRICS_PORT, "targetPort": "metrics", "protocol": "TCP"}],
        **families(service.spec.service),
    }
