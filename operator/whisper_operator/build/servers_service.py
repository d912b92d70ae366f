"""The headless Service by which the front finds the pods that serve, those that are not ready yet among them."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.client_service import families
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import SERVICE
from whisper_operator.resolve.resolved import Resolved
from whisper_runtime.contract.network import HTTP_PORT


def build(resolved: Resolved) -> Manifest | None:
    service = resolved.service
    if resolved.front is None or not resolved.front.is_there:
        return None
    return child(
        service,
        SERVICE,
        names.servers(service.metadata.name),
        spec={
            "type": "ClusterIP",
            "clusterIP": "None",
            # The front asks them itself: readiness reaches the cluster's DNS only once its old answer has lapsed.
            "publishNotReadyAddresses": True,
            "selector": names.selector(service.metadata.name),
            "ports": [{"name": "http", "port": HTTP_PORT, "targetPort": "http", "protocol": "TCP"}],
            **families(service.spec.service),
        },
    )
