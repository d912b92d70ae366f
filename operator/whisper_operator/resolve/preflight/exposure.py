"""The routes to and from the pods: no other Ingress has the host, and the fetch reaches the model's source."""

from __future__ import annotations

from whisper_operator.api import conditions as c
from whisper_operator.observe.facts import host_path
from whisper_operator.resolve.preflight.finding import CheckInput, Finding


def host(given: CheckInput) -> Finding | None:
    ingress, way = given.spec.ingress, host_path(given.service)
    taken = given.facts.taken.get(way) if way else None
    if ingress is None or taken is None:
        return None
    namespace, _, _ = taken.partition("/")
    # What others call theirs is none of the tenant's business.
    holder = f"Ingress {taken}" if namespace == given.namespace else "an Ingress of another namespace"
    host = f"spec.ingress.host {ingress.host}" if ingress.host else "spec.ingress without a host"
    return Finding(c.HOST_TAKEN, f"{host} with path {ingress.path} is taken by {holder}: choose another host or path")


def fetch_route(given: CheckInput) -> Finding | None:
    policy, source = given.spec.network_policy, given.spec.model.source
    if policy is None or policy.allow_to or given.spec.cache.type != "EmptyDir" or (source and source.claim):
        return None
    message = (
        "spec.cache.type is EmptyDir, so each pod fetches the model itself, and spec.networkPolicy lets it reach "
        "only DNS: add the model's source to spec.networkPolicy.allowTo, or use PersistentVolumeClaim"
    )
    return Finding(c.FETCH_BLOCKED, message, holds=True)
