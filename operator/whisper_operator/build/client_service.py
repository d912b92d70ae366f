"""The Service that clients use."""

from __future__ import annotations

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.meta import child
from whisper_operator.objects import names
from whisper_operator.objects.kinds import SERVICE
from whisper_operator.resolve.resolved import Resolved


def build(resolved: Resolved) -> Manifest:
    service = resolved.service
    wanted = service.spec.service
    return child(
        service,
        SERVICE,
        service.metadata.name,
        annotations=wanted.annotations,
        spec={
            "type": wanted.type,
            "selector": names.selector(service.metadata.name),
            "ports": [{"name": "http", "port": wanted.port, "targetPort": "http", "protocol": "TCP"}],
        },
    )
