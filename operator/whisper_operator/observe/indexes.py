"""Indexes over the cached objects: which services a change concerns, and the facts that a pass asks for.

A fact that changes wakes the services that it may concern, and no others: a thousand services in one namespace would
else wake each other without end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from whisper_operator.api.v1alpha1 import KIND
from whisper_operator.objects.kinds import CLUSTER_FACTS, INGRESS, NAMESPACE_FACTS, Kind
from whisper_operator.observe.hosts import HostPath, entries_of, filed_under, hosts_overlap, paths_overlap
from whisper_operator.observe.policy import Policy
from whisper_operator.observe.records import Entry, IngressRecord, Key, ObjectId, ServiceRecord

V = TypeVar("V")

NOTHING: Final[Mapping[Any, Any]] = MappingProxyType({})
FACTS: Final = frozenset(kind.kind for kind in (*CLUSTER_FACTS, *NAMESPACE_FACTS))
"""The kinds that are watched for the sake of preflight alone."""


class Index(Generic[V]):
    """Entries by the values that a function finds in each: an index of client-go's Indexer.

    Source: https://pkg.go.dev/k8s.io/client-go/tools/cache#Indexer
    """

    def __init__(self, values_of: Callable[[ObjectId, Entry], Iterable[V]]) -> None:
        self._values_of = values_of
        self._entries: dict[V, dict[ObjectId, Entry]] = {}

    def update(self, at: ObjectId, before: Entry | None, after: Entry | None) -> None:
        """Takes in that `before` has become `after`; None: not there."""
        had = set(self._values_of(at, before)) if before else set[V]()
        has = set(self._values_of(at, after)) if after else set[V]()
        for value in had - has:
            entries = self._entries[value]
            del entries[at]
            if not entries:
                del self._entries[value]
        if after:
            for value in has:
                self._entries.setdefault(value, {})[at] = after

    def __getitem__(self, value: V) -> Mapping[ObjectId, Entry]:
        return self._entries.get(value, NOTHING)

    def __iter__(self) -> Iterator[V]:
        return iter(self._entries)


def owner_of(at: ObjectId, child: Entry) -> Iterator[Key]:
    if child.owner and not isinstance(child.record, ServiceRecord):
        yield child.owner


def unsettled_in(at: ObjectId, service: Entry) -> Iterator[str]:
    if isinstance(service.record, ServiceRecord) and not service.record.is_settled:
        yield at.namespace


def claimed_by(at: ObjectId, service: Entry) -> Iterator[str]:
    if isinstance(service.record, ServiceRecord) and service.record.claims:
        for host, _ in service.record.claims:
            yield from filed_under(host)


def held_by(at: ObjectId, ingress: Entry) -> Iterator[str]:
    if isinstance(ingress.record, IngressRecord):
        for host, _ in ingress.record.holds:
            yield from filed_under(host)


def fact_of(at: ObjectId, fact: Entry) -> Iterator[tuple[str, str]]:
    if at.kind in FACTS:
        yield at.kind, at.namespace


class Indexes:
    """All indexes of the cache, and the rule by which a changed object becomes keys of services."""

    def __init__(self, policy: Policy | None = None) -> None:
        """`policy`: of the installation, which says whose hosts are shared; None: every host is."""
        self._policy = policy
        self.children = Index(owner_of)
        """By service."""
        self._unsettled = Index(unsettled_in)
        """Services by namespace."""
        self._claims = Index(claimed_by)
        """Services by the host that they ask for, as hosts.py files it."""
        self._holders = Index(held_by)
        """Ingresses by the hosts that they have, as hosts.py files them."""
        self._facts = Index(fact_of)
        """Nodes, storage classes, quotas and limits by kind and namespace."""
        self._first: dict[Key, tuple[tuple[HostPath, ...], str]] = {}
        """What services asked for when nobody had it, and their class; an Ingress comes before them."""
        self._versions: Counter[str] = Counter()
        """By namespace (empty: the cluster): how often a fact has changed there."""
        self._all: tuple[Index[Any], ...] = (self.children, self._unsettled, self._claims, self._holders, self._facts)

    def update(self, at: ObjectId, before: Entry | None, after: Entry | None) -> set[Key]:
        """Takes in that `before` has become `after` (None: not there); the keys of the services that this concerns."""
        for index in self._all:
            index.update(at, before, after)
        owners = {entry.owner for entry in (before, after) if entry and entry.owner}
        if at.kind in (INGRESS.kind, KIND):
            ways = released(before, after)
            if at.kind == KIND and (after is None or ways):
                self._first.pop((at.namespace, at.name), None)
            return owners.union(*(self._claiming(way) for way in ways))
        if at.kind in FACTS and (before and before.record) != (after and after.record):
            self._versions[at.namespace] += 1
            return owners | self._waiting(at.namespace)
        return owners

    def version_of_facts(self, namespace: str) -> tuple[int, int]:
        """How often facts have changed: of the cluster, and of that namespace."""
        return self._versions[""], self._versions[namespace]

    def facts_of(self, kind: Kind, namespace: str = "") -> Mapping[ObjectId, Entry]:
        return self._facts[kind.kind, namespace]

    def ask(self, ways: Collection[HostPath], asking: Key, class_name: str, *, is_guest: bool) -> dict[HostPath, str]:
        """The holders of those of `ways` that are taken; where none is, the asking service will have them all.

        Two services that come together are judged at the same time, before the Ingress of either is there: without this
        both would make theirs. `is_guest`: a canary shares the hosts of its own namespace, and takes none.
        """
        self._first.pop(asking, None)
        taken: dict[HostPath, str] = {}
        unheld: list[HostPath] = []
        for way in ways:
            holders = self._ingresses(way, asking, class_name, is_guest)
            holder = _first_of(holders, asking) if holders else self._asked_before(way, asking, class_name, is_guest)
            if holder:
                taken[way] = holder
            elif not holders:
                unheld.append(way)
        if unheld and not taken and not is_guest:
            self._first[asking] = tuple(unheld), class_name
        return taken

    def _asked_before(self, way: HostPath, asking: Key, class_name: str, is_guest: bool) -> str | None:
        """Namespace/name of the service that asked for `way` before, and has no Ingress yet."""
        for key in sorted(self._claiming(way)):
            asked, its_class = self._first.get(key, ((), ""))
            overlapping = [one for one in asked if overlap(way, one)]
            is_one = is_one_controller(its_class, class_name)
            if overlapping and self._is_taken(way, asking, key[0], overlapping, is_one=is_one, is_guest=is_guest):
                return f"{key[0]}/{key[1]}"
        return None

    def _ingresses(self, way: HostPath, asking: Key, class_name: str, is_guest: bool) -> list[tuple[str, str, str]]:
        """Creation, namespace and name of each Ingress that has `way`."""
        found: list[tuple[str, str, str]] = []
        for at, record in self._holding(way):
            is_one = is_one_controller(record.class_name, class_name)
            if self._is_taken(way, asking, at.namespace, record.holds, is_one=is_one, is_guest=is_guest):
                found.append((record.created, at.namespace, at.name))
        return found

    def _is_taken(
        self,
        way: HostPath,
        asking: Key,
        namespace: str,
        holds: Collection[HostPath],
        *,
        is_one: bool,
        is_guest: bool,
    ) -> bool:
        """Whether `way` is taken by something of that namespace that has `holds`, of which one overlaps with it.

        In the asking service's own namespace, the same host and path is; in another, whatever overlaps: part of its
        requests would come to us, or of ours to it. `is_one`: whether one controller may have both. Two classes are two
        controllers, each with hosts of its own; but whoever may not share hosts could name another class of the same
        one, so that it does not count between namespaces.
        """
        if namespace == asking[0]:
            return is_one and way in holds and not is_guest
        is_shared = self._policy is None or self._policy.shares(way[0], asking[0])
        return not is_shared or (is_one and way in holds)

    def _holding(self, way: HostPath) -> Iterator[tuple[ObjectId, IngressRecord]]:
        """The Ingresses that have a host and path that overlap with `way`."""
        found = {at: entry for filed in entries_of(way[0]) for at, entry in self._holders[filed].items()}
        for at, entry in found.items():
            if isinstance(entry.record, IngressRecord) and any(overlap(way, one) for one in entry.record.holds):
                yield at, entry.record

    def _waiting(self, namespace: str) -> set[Key]:
        """The services that a fact of that namespace (empty: of the cluster) may mend."""
        namespaces = (namespace,) if namespace else tuple(self._unsettled)
        return {(at.namespace, at.name) for one in namespaces for at in self._unsettled[one]}

    def _claiming(self, way: HostPath) -> set[Key]:
        """The services that ask for a host and path that overlap with `way`."""
        found = {at: entry for filed in entries_of(way[0]) for at, entry in self._claims[filed].items()}
        return {
            (at.namespace, at.name)
            for at, entry in found.items()
            if isinstance(entry.record, ServiceRecord) and any(overlap(way, one) for one in entry.record.claims)
        }


def released(before: Entry | None, after: Entry | None) -> set[HostPath]:
    """The hosts and paths that an Ingress no longer has, or has under another class, or that a service gives up."""
    had, has = before.record if before else None, after.record if after else None
    if isinstance(had, ServiceRecord):
        return set(had.claims) - set(has.claims if isinstance(has, ServiceRecord) else ())
    if not isinstance(had, IngressRecord):
        return set()
    is_same_class = isinstance(has, IngressRecord) and has.class_name == had.class_name
    return set(had.holds) - (set(has.holds) if isinstance(has, IngressRecord) and is_same_class else set())


def _first_of(ingresses: list[tuple[str, str, str]], asking: Key) -> str | None:
    """Namespace/name of the oldest; None where that is the asking service's own.

    Its own keeps the host also where another was created in the same second, as fine as creation times are.
    """
    created, *key = min(ingresses)
    own = next((one for one in ingresses if one[1:] == asking), None)
    return None if own and own[0] == created else "/".join(key)


def overlap(one: HostPath, other: HostPath) -> bool:
    return paths_overlap(one[1], other[1]) and hosts_overlap(one[0], other[0])


def is_one_controller(one: str, other: str) -> bool:
    return one == other or not (one and other)
