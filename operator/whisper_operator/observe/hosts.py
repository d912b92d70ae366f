"""Which hosts and paths of Ingresses overlap, so that one would take requests of the other. Pure.

Source: https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types, and #hostname-wildcards; nginx lets
a wildcard stand for several labels, so that is what one is taken for here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

HostPath = tuple[str, str]
"""Host and path of an Ingress."""
CANARY: Final = "nginx.ingress.kubernetes.io/canary"


def is_canary(annotations: Mapping[str, str]) -> bool:
    """Whether an Ingress of those annotations takes a part of the requests for another's host, and has none itself.

    Source: https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary
    """
    return annotations.get(CANARY) == "true"


def ways(hosts: Iterable[str], paths: Iterable[str]) -> tuple[HostPath, ...]:
    """Each path at each host; without a host, at any."""
    found = tuple(paths)
    return tuple((host, path) for host in tuple(hosts) or ("",) for path in found)


def filed_under(host: str) -> Iterator[str]:
    """The entries of an index under which a host is found: itself, and each domain that it lies in, after a dot."""
    yield host
    yield from (f".{parent}" for parent in _parents(host))


def entries_of(host: str) -> Iterator[str]:
    """The entries under which all hosts are filed that overlap with `host`; the empty host has one of its own.

    Any controller prefers a host to the empty one, so the two do not overlap.
    """
    yield host
    if host.startswith("*."):
        yield host[1:]
    yield from (f"*.{parent}" for parent in _parents(host))


def paths_overlap(one: str, other: str) -> bool:
    """Whether one path is the other's prefix, by whole segments; GKE and ALB write a prefix as /speech/*."""
    first, second = (path.rstrip("*").rstrip("/") + "/" for path in (one, other))
    return first.startswith(second) or second.startswith(first)


def hosts_overlap(one: str, other: str) -> bool:
    return one == other or not set(filed_under(one)).isdisjoint(entries_of(other))


def _parents(host: str) -> Iterator[str]:
    labels = host.removeprefix("*.").split(".") if host.startswith("*.") else host.split(".")[1:]
    for place in range(len(labels)):
        yield ".".join(labels[place:])
