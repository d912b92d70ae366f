"""Ways in and out: hosts that others hold, and a policy that would cut the fetch off."""

from __future__ import annotations

from whisper_operator.api import conditions as c
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.checks.finding import Finding
from whisper_operator.observed import Observed


def host(service: WhisperService, observed: Observed) -> Finding | None:
    ingress = service.spec.ingress
    if ingress is None or ingress.host is None:
        return None
    taken = observed.facts.taken.get((ingress.host, ingress.path))
    if taken is None:
        return None
    message = f"spec.ingress.host {ingress.host} with path {ingress.path} is taken by Ingress {taken}: choose another"
    return Finding(c.HOST_TAKEN, message)


def fetch_route(service: WhisperService, observed: Observed) -> Finding | None:
    policy = service.spec.network_policy
    if policy is None or policy.allow_to or service.spec.cache.type != "EmptyDir":
        return None
    message = (
        "spec.cache.type is EmptyDir, so each pod fetches the model itself, and spec.networkPolicy lets it reach "
        "nothing but DNS: add the model's source to spec.networkPolicy.allowTo, or use PersistentVolumeClaim"
    )
    return Finding(c.FETCH_BLOCKED, message, holds=True)
