"""The newest version seen of every object that matters, fed by lists, watches and the replies to our own writes.

An object goes in, and the keys of the services that it concerns come out. The semantics are those of client-go's
informers (https://pkg.go.dev/k8s.io/client-go/tools/cache): an older version never replaces a newer one, whichever way
it came, and a deleted object is not brought back by a late reply.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Final

from whisper_operator.api.v1alpha1 import KIND, Manifest, WhisperService
from whisper_operator.objects.kinds import (
    CHILD_KINDS,
    DEVICE_CLASS,
    EVENT,
    LIMIT_RANGE,
    NODE,
    QUOTA,
    RESOURCE_SLICE,
    STORAGE_CLASS,
    Kind,
)
from whisper_operator.observe.devices import DeviceClass, DeviceSlice
from whisper_operator.observe.expired_jobs import as_it_ended
from whisper_operator.observe.facts import Facts, Node, host_paths
from whisper_operator.observe.hosts import HostPath, is_canary
from whisper_operator.observe.indexes import Indexes
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.policy import Policy
from whisper_operator.observe.records import Entry, Key, ObjectId, controlling_service, entry_of, id_of, is_out_of_sight
from whisper_operator.observe.warning_log import WarningLog, object_of

DELETED: Final = "DELETED"
"""The type of a watch event that ends an object, or after which it no longer has the label that is watched for."""


CHILDREN: Final = frozenset(kind.kind for kind in CHILD_KINDS)


def wake_none(_keys: Collection[Key]) -> None:
    """For a cache of which no service is reconciled."""


class ObjectCache:
    """One owner of everything seen. Versions are compared across objects, as etcd counts them across all."""

    def __init__(
        self, *, whole_cluster: bool, policy: Policy | None = None, wake: Callable[[Collection[Key]], None] = wake_none
    ) -> None:
        """`whole_cluster`: nodes and storage classes are watched; False where only namespaces may be read.

        `wake`: takes the services that an answer to a pass concerns, but for the one whose pass it is. The watch event
        of what an answer has shown is not new, and so concerns nobody.
        """
        self._whole_cluster = whole_cluster
        self._wake = wake
        self._entries: defaultdict[str, dict[ObjectId, Entry]] = defaultdict(dict)
        """By kind."""
        self._tombstones: dict[str, int] = {}
        """Version at which each uid was deleted, so that an older, late reply does not bring it back."""
        self._listed: dict[tuple[str, str | None], int] = {}
        """By kind and namespace (None: all): the version of the last complete list."""
        self._lost: defaultdict[Key, set[ObjectId]] = defaultdict(set)
        """By service: children that went out of sight, deleted or without the label that is watched for."""
        self._indexes = Indexes(policy)
        self._warnings = WarningLog()

    def observe(
        self, body: Manifest, event: str | None = None, *, asking: Key | None = None, listed_at: int | None = None
    ) -> set[Key]:
        """Takes in one version of an object; the services that it concerns, none where it is not new.

        `event`: ADDED, MODIFIED or DELETED as a watch says; None for what a list or a reply holds. `asking`: the
        service whose pass it is an answer to. `listed_at`: the version of the list that holds it, at which it is there
        whatever was believed of it; None: no list does.
        """
        if body["kind"] == EVENT.kind:
            return self._observe_warning(body, event)
        at, uid, version = id_of(body), body["metadata"]["uid"], int(body["metadata"]["resourceVersion"])
        known = self._entries[at.kind].get(at)
        if (version if listed_at is None else listed_at) < self._tombstones.get(uid, -1):
            return set()
        if known is None and self._is_unlisted(body, at, version if listed_at is None else listed_at + 1):
            return set()
        if (expired := as_it_ended(body)) and self.service((at.namespace, controlling_service(body) or "")):
            body, event = expired, None
        if event == DELETED and not (known is not None and known.uid == uid and known.version > version):
            return self._lose(at, uid, version)
        if known is not None and known.version >= version:
            return set()
        entry = entry_of(body, asking)
        return self._put(at, replace(entry, has_expired=True) if entry and expired else entry)

    def delete_absent(self, kind: Kind, namespace: str | None, uids: Collection[str], version: int) -> set[Key]:
        """Deletes what a complete list does not hold; the services that this concerns.

        `namespace`: the one that was listed, None for all; `uids`: of everything listed; `version`: the list's, so that
        what is newer stays; so does what no list shows: what only passes have found, and Jobs that have expired.
        """
        self._listed[kind.kind, namespace] = max(version, self._listed.get((kind.kind, namespace), -1))
        gone = [
            (at, entry.uid)
            for at, entry in self._entries[kind.kind].items()
            if entry.uid not in uids
            and namespace in (None, at.namespace)
            and entry.version <= version
            and not (entry.is_out_of_sight or entry.has_expired)
        ]
        return {key for at, uid in gone for key in self._lose(at, uid, version)}

    def observe_answer(self, key: Key, body: Manifest) -> None:
        """Takes in the service, or a child of it, that a read or a write of its pass was answered with."""
        self._wake_others(key, self.observe(body, asking=key))

    def observe_change(self, body: Manifest) -> None:
        """Takes in an object of which an answer shows what no pass has seen yet, the asking service's included."""
        self._wake(self.observe(body))

    def delete(self, key: Key, live: Manifest) -> None:
        """Takes in that the API server has accepted a deletion by the pass over that service, which saw `live`.

        A newer version that the watch has shown meanwhile stays: it may be the one that a finalizer holds, and nothing
        would show that again. Where none does, the watch is about to show the end.
        """
        at, uid, version = id_of(live), live["metadata"]["uid"], int(live["metadata"]["resourceVersion"])
        known = self._entries[at.kind].get(at)
        if known is None or known.version <= version:
            self._wake_others(key, self._delete(at, uid, version + 1))

    def lose(self, key: Key, child: ObjectId) -> None:
        """Takes in that a child of that service is there, out of sight of the watches."""
        self._lost[key].add(child)

    def lost(self, key: Key) -> frozenset[ObjectId]:
        """The service's children that went out of sight, of which each may still be there."""
        return frozenset(self._lost.get(key, ()))

    def forget_lost(self, key: Key, children: Collection[ObjectId]) -> None:
        """Takes in that it is known what became of those children of that service."""
        if left := self._lost.pop(key, set()) - set(children):
            self._lost[key] = left

    def delete_service(self, key: Key, uid: str) -> None:
        """Takes in that the API server no longer has that service, though no watch has shown it.

        One more pass ends what is kept of it.
        """
        at = ObjectId(KIND, *key)
        if known := self._entries[KIND].get(at):
            self._wake(self._delete(at, uid, known.version + 1))

    def forget_tombstones(self, version: int) -> None:
        """Forgets those up to a version, at which or after which every kind has been listed: the lists tell as much."""
        self._tombstones = {uid: deleted for uid, deleted in self._tombstones.items() if deleted > version}

    def service(self, key: Key) -> Manifest | None:
        entry = self._entries[KIND].get(ObjectId(KIND, *key))
        return entry.body if entry else None

    def services(self) -> Iterator[Manifest]:
        return (entry.body for entry in list(self._entries[KIND].values()))

    def keys(self) -> list[Key]:
        """Returns the key of every WhisperService."""
        return [(at.namespace, at.name) for at in self._entries[KIND]]

    def observed(self, key: Key, facts: Facts, before: Observed | None = None) -> Observed:
        """The live children of a service, pods included, and `facts`.

        `before`: an earlier answer, from which the objects are taken that have not changed since; None: decode all.
        """
        children, known = self._indexes.children[key], before.objects if before else {}
        found = {(at.kind, at.name): _decoded(entry, known.get((at.kind, at.name))) for at, entry in children.items()}
        return Observed(found, facts, entries=tuple(children.values()))

    def out_of_sight(self, key: Key) -> list[Manifest]:
        """The children of a service that only its passes have found: no watch shows what becomes of them."""
        return [entry.body for entry in self._indexes.children[key].values() if entry.is_out_of_sight]

    def newest(self, body: Manifest) -> Manifest | None:
        """The newest version of that object; None where it is not there, or belongs to no service."""
        entry = self._entries[body["kind"]].get(id_of(body))
        return entry.body if entry and entry.owner else None

    def facts(self, service: WhisperService, now: float) -> Facts:
        """Returns what watches show of the cluster, as the service sees it; `now`: seconds since the epoch."""
        namespace = service.metadata.namespace
        return Facts(
            now=now,
            version=self._indexes.version_of_facts(namespace),
            nodes=tuple(self._nodes()) if self._whole_cluster else None,
            storage_classes=self._records(STORAGE_CLASS) if self._whole_cluster else None,
            slices=tuple(self._slices()) if service.spec.gpu else (),
            device_classes=self._device_classes() if service.spec.gpu and self._whole_cluster else None,
            quotas=tuple(self._records(QUOTA, namespace).values()),
            limit_ranges=tuple(self._records(LIMIT_RANGE, namespace).values()),
            taken=self._taken(service),
            warnings=self._warnings.of(namespace, service.spec.cache.existing_claim),
        )

    def _taken(self, service: WhisperService) -> dict[HostPath, str]:
        """The holders of the hosts and paths that the service asks for and others have."""
        ingress, key = service.spec.ingress, (service.metadata.namespace, service.metadata.name)
        if ingress is None:
            return {}
        is_guest = is_canary(ingress.annotations)
        return self._indexes.ask(host_paths(service), key, ingress.class_name or "", is_guest=is_guest)

    def _nodes(self) -> Iterator[Node]:
        return (one.record for one in self._indexes.facts_of(NODE).values() if isinstance(one.record, Node))

    def _slices(self) -> Iterator[DeviceSlice]:
        found = self._indexes.facts_of(RESOURCE_SLICE).values()
        return (one.record for one in found if isinstance(one.record, DeviceSlice))

    def _device_classes(self) -> dict[str, DeviceClass]:
        """By name; none, too, where the cluster does not serve them."""
        found = self._indexes.facts_of(DEVICE_CLASS).values()
        return {one.record.name: one.record for one in found if isinstance(one.record, DeviceClass)}

    def _records(self, kind: Kind, namespace: str = "") -> dict[str, Manifest]:
        """By name."""
        found = self._indexes.facts_of(kind, namespace).items()
        return {at.name: entry.record for at, entry in found if isinstance(entry.record, dict)}

    def _observe_warning(self, body: Manifest, event: str | None) -> set[Key]:
        """The service of the child that the Warning is about; none where it says nothing new, or has only expired."""
        if event == DELETED:
            self._warnings.expire(body)
            return set()
        at = object_of(body)
        entry = self._entries[at.kind].get(at) if at.kind in self._entries else None
        owner = entry.owner if entry else None
        is_new = self._warnings.add(body, is_ours=owner is not None)
        return {owner} if is_new and owner else set()

    def _forget_with(self, at: ObjectId) -> None:
        """Drops the warnings about an object that has gone; of a service that has, those about all that it had, and
        its Jobs that have expired, whose end no watch shows."""
        self._warnings.forget(at)
        if at.kind == KIND:
            for child, entry in list(self._indexes.children[at.namespace, at.name].items()):
                self._warnings.forget(child)
                if entry.has_expired:
                    self._put(child, None)

    def _lose(self, at: ObjectId, uid: str, version: int) -> set[Key]:
        """Deletes the object, of which the watches show no more: it may be there without its label."""
        known = self._entries[at.kind].get(at)
        if known is not None and known.uid == uid and known.owner and at.kind in CHILDREN:
            self._lost[known.owner].add(at)
        return self._delete(at, uid, version)

    def _delete(self, at: ObjectId, uid: str, version: int) -> set[Key]:
        """Deletes exactly that object, and not a successor of its name."""
        self._tombstones[uid] = max(version, self._tombstones.get(uid, -1))
        known = self._entries[at.kind].get(at)
        return self._put(at, None) if known is not None and known.uid == uid else set()

    def _is_unlisted(self, body: Manifest, at: ObjectId, version: int) -> bool:
        """Whether the last list would have held an unknown object that was there at that version, so that it has gone
        since."""
        lists = (self._listed.get((at.kind, namespace), -1) for namespace in (None, at.namespace))
        return version <= max(lists) and not is_out_of_sight(body)

    def _wake_others(self, key: Key, concerned: set[Key]) -> None:
        """A pass goes on with what it was answered, and needs no other for that."""
        if others := concerned - {key}:
            self._wake(others)

    def _put(self, at: ObjectId, entry: Entry | None) -> set[Key]:
        """Replaces, adds or (None) removes what is kept of an object; the services that this concerns."""
        entries = self._entries[at.kind]
        before = entries.get(at)
        if entry is not None:
            entries[at] = entry
            if entry.owner:
                self._warnings.adopt(at)
        elif before is not None:
            del entries[at]
            self._forget_with(at)
        return self._indexes.update(at, before, entry)


def _decoded(entry: Entry, known: Manifest | None) -> Manifest:
    """The entry's object; `known` where that is the same version."""
    return known if known and known["metadata"]["resourceVersion"] == str(entry.version) else entry.body
