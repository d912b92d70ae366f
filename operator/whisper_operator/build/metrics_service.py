"""The Service for metrics and probes: reachable within the cluster only, whatever type the clients' Service has."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.client_service import families
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import SERVICE
from whisper_operator.resolve.resolved import Resolved
from whisper_runtime.contract.network import METRICS_PORT


def build(resolved: Resolved) -> Manifest:
    service = resolved.service
    return child(
        service,
        SERVICE,
        names.metrics_service(service.metadata.name),
        spec={
            "type": "ClusterIP",
            "selector": names.selector(service.metadata.name),
            "ports": [{"name": "metrics", "port": METRICS_PORT, "targetPort": "metrics", "protocol": "TCP"}],
            **families(service.spec.service),
        },
    )
