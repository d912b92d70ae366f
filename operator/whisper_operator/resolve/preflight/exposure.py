"""The routes to and from the pods: no other Ingress has a host, and the fetch reaches the model's source."""

from __future__ import annotations

from whisper_operator.api import conditions as c
from whisper_operator.observe.facts import host_paths
from whisper_operator.resolve.fetches import fetches
from whisper_operator.resolve.preflight.finding import CheckInput, Finding


def host(given: CheckInput) -> Finding | None:
    """Finds the first host and path that another Ingress has."""
    way = next((way for way in host_paths(given.service) if way in given.facts.taken), None)
    if way is None:
        return None
    taken = given.facts.taken[way]
    namespace, _, _ = taken.partition("/")
    # What others call theirs is none of the tenant's business.
    holder = f"Ingress {taken}" if namespace == given.namespace else "an Ingress of another namespace"
    message = f"{_field(given, way[0])} with path {way[1]} is taken by {holder}: choose another host or path"
    return Finding(c.HOST_TAKEN, message)


def _field(given: CheckInput, taken: str) -> str:
    """The field that asks for that host, with its value."""
    ingress = given.spec.ingress
    if not taken or ingress is None:
        return "spec.ingress without a host"
    return f"spec.ingress.{'host' if taken == ingress.host else 'additionalHosts'} {taken}"


def fetch_route(given: CheckInput) -> Finding | None:
    policy = given.spec.network_policy
    is_local = all(fetch.source and fetch.source.claim for fetch in fetches(given.spec))
    if policy is None or policy.allow_to or given.spec.cache.type != "EmptyDir" or is_local:
        return None
    message = (
        "spec.cache.type is EmptyDir, so each pod fetches the model itself, and spec.networkPolicy lets it reach "
        "only DNS: add the model's source to spec.networkPolicy.allowTo, or use PersistentVolumeClaim"
    )
    return Finding(c.FETCH_BLOCKED, message, holds=True)
