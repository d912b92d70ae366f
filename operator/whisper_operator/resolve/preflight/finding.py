"""What a check finds, and what all of them ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.observe.observed import Observed


@dataclass(frozen=True)
class Finding:
    reason: str
    message: str
    """Names the object, the field, the value, and the remedy."""
    holds: bool = False
    """Whether nothing may be started before it is mended."""


Check = Callable[[WhisperService, Observed], Finding | None]


def wanted_replicas(service: WhisperService) -> int:
    """Pods that must find room: none where suspended, the fewest that an autoscaler keeps."""
    if service.spec.suspend:
        return 0
    return service.spec.autoscaling.min_replicas if service.spec.autoscaling else service.spec.replicas


def needs_room(service: WhisperService, observed: Observed) -> bool:
    """Whether pods are still to be placed: what runs has shown that it fits."""
    live = observed.get(DEPLOYMENT, service.metadata.name)
    return wanted_replicas(service) > (live or {}).get("status", {}).get("readyReplicas", 0)
