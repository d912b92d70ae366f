"""Complete lists: which kinds are listed and watched, and how one list goes into the cache."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import CLUSTER_FACTS, NAMESPACE_FACTS, OPTIONAL_KINDS, Kind
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.observe.records import Key


class Listing:
    """One complete list of a kind: its pages go into the cache, and at its end what none of them held is deleted."""

    def __init__(self, cache: ObjectCache, kind: Kind, namespace: str | None) -> None:
        """`namespace`: the one that is listed, None for all."""
        self._cache, self._kind, self._namespace = cache, kind, namespace
        self._uids: set[str] = set()

    def observe(self, page: Iterable[Manifest], version: int) -> set[Key]:
        """Takes one page in, with the list's version; the services for which it holds something new."""
        concerned: set[Key] = set()
        for body in page:
            self._uids.add(body["metadata"]["uid"])
            concerned |= self._cache.observe(body, listed_at=version)
        return concerned

    def end(self, version: int) -> set[Key]:
        """After the last page, with the list's version; the services whose objects have gone."""
        return self._cache.delete_absent(self._kind, self._namespace, self._uids, version)


def fact_kinds(served: Collection[Kind], *, whole_cluster: bool) -> tuple[Kind, ...]:
    """Returns the kinds that are watched beside the services and their children.

    `served`: of those that a cluster may lack, the ones that it has.
    """
    of_cluster = [kind for kind in CLUSTER_FACTS if kind in served or kind not in OPTIONAL_KINDS]
    return (*(of_cluster if whole_cluster else ()), *NAMESPACE_FACTS)
