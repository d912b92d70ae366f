"""The newest version seen of every object that matters, fed by lists, watches and the replies to our own writes.

Objects are kept as JSON, a tenth of what they take as dictionaries; a pass decodes those of its own service.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from whisper_operator.api.v1alpha1 import KIND, Manifest
from whisper_operator.objects import names
from whisper_operator.objects.kinds import DEPLOYMENT, Kind
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.observed import Observed

Key = tuple[str, str]
"""Namespace and name of a WhisperService."""
Name = tuple[str, str]
"""Kind and name of an object among those of one service."""

DELETED: Final = "DELETED"


@dataclass(frozen=True, slots=True)
class Kept:
    uid: str
    version: int
    json: bytes

    @property
    def body(self) -> Manifest:
        return orjson.loads(self.json)


class Store:
    """One owner of what was seen; an older version never replaces a newer one, whichever way it came."""

    def __init__(self) -> None:
        self._services: dict[Key, Kept] = {}
        self._unready: set[Key] = set()
        self._children: dict[Key, dict[Name, Kept]] = {}
        self._deleted: dict[str, int] = {}
        """Version at which each uid was deleted, so that a late reply does not bring it back."""

    def see(self, body: Manifest, event: str | None = None) -> Key | None:
        """Takes `body` in; the key of the service that it changes something for, None where nothing is new."""
        key, uid, version = key_of(body), body["metadata"]["uid"], int(body["metadata"]["resourceVersion"])
        if key is None or version <= self._deleted.get(uid, -1):
            return None
        name = (body["kind"], body["metadata"]["name"])
        if event == DELETED:
            return self._forget(key, name, uid, version)
        known = self._kept(key, name)
        if known is not None and known.version >= version:
            return None
        self._keep(key, name, Kept(uid, version, orjson.dumps(_slim(body))))
        if name[0] == KIND:
            (self._unready.discard if _is_ready(body) else self._unready.add)(key)
        return key

    def forget_absent(self, kind: Kind, namespace: str | None, there: Collection[str], version: int) -> set[Key]:
        """Forgets what a complete list of that version does not hold, of whose objects `there` are the uids.

        The keys that this changes something for.
        """
        gone = [
            (key, name, kept.uid)
            for key, name, kept in self._of(kind)
            if kept.uid not in there and namespace in (None, key[0]) and kept.version <= version
        ]
        return {key for key, name, uid in gone if self._forget(key, name, uid, version)}

    def forget_service(self, key: Key, uid: str) -> None:
        """Takes in that the API server has that service no more, though no watch has said so."""
        known = self._services.get(key)
        if known is not None:
            self._forget(key, (KIND, key[1]), uid, known.version)

    def forget_deletions(self) -> None:
        """After a complete list of every kind, no older version can still arrive."""
        self._deleted.clear()
        self._children = {key: shelf for key, shelf in self._children.items() if shelf}

    def service(self, key: Key) -> Manifest | None:
        kept = self._services.get(key)
        return kept.body if kept else None

    def bodies(self) -> Iterator[Manifest]:
        """Every WhisperService."""
        return (kept.body for kept in list(self._services.values()))

    def unready(self) -> list[Key]:
        """The services that are not Ready, or whose change waits for something."""
        return list(self._unready)

    def services(self) -> list[Key]:
        return list(self._services)

    def observed(self, key: Key, facts: Facts) -> Observed:
        return Observed({name: kept.body for name, kept in self._children.get(key, {}).items()}, facts)

    def version_of(self, body: Manifest) -> Manifest | None:
        """The newest version seen of that object."""
        key = key_of(body)
        kept = self._kept(key, (body["kind"], body["metadata"]["name"])) if key else None
        return kept.body if kept else None

    def owner(self, kind: str, namespace: str, name: str) -> Key | None:
        """The service whose pod or claim that is, by the name that it begins with."""
        parts = name.split("-")
        keys = ((namespace, "-".join(parts[:count])) for count in range(len(parts), 0, -1))
        return next((key for key in keys if (kind, name) in self._children.get(key, {})), None)

    def _kept(self, key: Key, name: Name) -> Kept | None:
        return self._services.get(key) if name[0] == KIND else self._children.get(key, {}).get(name)

    def _keep(self, key: Key, name: Name, kept: Kept) -> None:
        if name[0] == KIND:
            self._services[key] = kept
        else:
            self._children.setdefault(key, {})[name] = kept

    def _forget(self, key: Key, name: Name, uid: str, version: int) -> Key | None:
        """Remembers that the object is gone; None where a successor of its name is there, or nothing was known."""
        self._deleted[uid] = version
        known = self._kept(key, name)
        if known is None or known.uid != uid:
            return None
        if name[0] == KIND:
            del self._services[key]
            self._unready.discard(key)
        else:
            del self._children[key][name]
        return key

    def _of(self, kind: Kind) -> Iterator[tuple[Key, Name, Kept]]:
        if kind.kind == KIND:
            yield from ((key, (KIND, key[1]), kept) for key, kept in self._services.items())
        for key, shelf in self._children.items():
            yield from ((key, name, kept) for name, kept in shelf.items() if name[0] == kind.kind)


def key_of(body: Manifest) -> Key | None:
    """The service that `body` is, or belongs to by its label."""
    metadata = body["metadata"]
    if body["kind"] == KIND:
        return metadata["namespace"], metadata["name"]
    service = metadata.get("labels", {}).get(names.LABEL_SERVICE)
    return (metadata["namespace"], service) if service else None


def _is_ready(body: Manifest) -> bool:
    conditions = body.get("status", {}).get("conditions", ())
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and not any(one["type"] in ("Reconciling", "Stalled") for one in conditions)


def _slim(body: Manifest) -> Manifest:
    """`body` without its field managers, the bulk of it, but for those of a Deployment's number of replicas."""
    metadata = {name: value for name, value in body["metadata"].items() if name != "managedFields"}
    if body["kind"] == DEPLOYMENT.kind:
        metadata["managedFields"] = [_of_replicas(entry) for entry in body["metadata"].get("managedFields", ())]
    return {**body, "metadata": metadata}


def _of_replicas(entry: dict[str, Any]) -> dict[str, Any]:
    if "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {}):
        return {**entry, "fieldsV1": {"f:spec": {"f:replicas": {}}}}
    return {**entry, "fieldsV1": {}}
