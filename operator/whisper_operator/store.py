"""The newest version seen of every object that matters, fed by lists, watches and the replies to our own writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from whisper_operator import names
from whisper_operator.api.v1alpha1 import KIND, Manifest
from whisper_operator.facts import Facts
from whisper_operator.kinds import DEPLOYMENT, Kind
from whisper_operator.observed import Observed

Key = tuple[str, str]
"""Namespace and name of a WhisperService."""

DELETED: Final = "DELETED"


class Store:
    """One owner of what was seen; an older version never replaces a newer one, whichever way it came."""

    def __init__(self) -> None:
        self._services: dict[Key, dict[tuple[str, str], Manifest]] = {}
        self._children: dict[Key, dict[tuple[str, str], Manifest]] = {}
        self._deleted: dict[str, int] = {}
        """Version at which each uid was deleted, so that a late reply does not bring it back."""

    def see(self, body: Manifest, event: str | None = None) -> Key | None:
        """Takes `body` in; the key of the service that it changes something for, None where nothing is new."""
        key, uid, version = key_of(body), body["metadata"]["uid"], int(body["metadata"]["resourceVersion"])
        if key is None or version <= self._deleted.get(uid, -1):
            return None
        shelf = self._shelf(key, body)
        name = (body["kind"], body["metadata"]["name"])
        known = shelf.get(name)
        if event == DELETED:
            self._deleted[uid] = version
            if known is None or known["metadata"]["uid"] != uid:
                return None
            del shelf[name]
            return key
        if known is not None and int(known["metadata"]["resourceVersion"]) >= version:
            return None
        shelf[name] = _slim(body)
        return key

    def replace(self, kind: Kind, namespace: str | None, listed: list[Manifest], version: int) -> set[Key]:
        """Takes a complete list in, and forgets what was older than it and is not in it.

        The keys that this changes something for.
        """
        there = {body["metadata"]["uid"] for body in listed}
        changed = {key for body in listed if (key := self.see(body))}
        gone = [
            body
            for body in self._of(kind)
            if body["metadata"]["uid"] not in there
            and namespace in (None, body["metadata"]["namespace"])
            and int(body["metadata"]["resourceVersion"]) <= version
        ]
        return changed | {key for body in gone if (key := self.see(_at(body, version), DELETED))}

    def forget_deletions(self) -> None:
        """After a complete list of every kind, no older version can still arrive."""
        self._deleted.clear()
        self._services = {key: shelf for key, shelf in self._services.items() if shelf}
        self._children = {key: shelf for key, shelf in self._children.items() if shelf}

    def service(self, key: Key) -> Manifest | None:
        return next(iter(self._services.get(key, {}).values()), None)

    def bodies(self) -> Iterator[Manifest]:
        """Every WhisperService."""
        return (body for key in self.services() if (body := self.service(key)))

    def unready(self) -> list[Key]:
        """The services that are not Ready."""
        return [key for key in self.services() if not _is_ready(self.service(key) or {})]

    def services(self) -> list[Key]:
        return [key for key, shelf in self._services.items() if shelf]

    def observed(self, key: Key, facts: Facts) -> Observed:
        return Observed(dict(self._children.get(key, {})), facts)

    def version_of(self, body: Manifest) -> Manifest | None:
        """The newest version seen of that object."""
        key = key_of(body)
        return self._children.get(key, {}).get((body["kind"], body["metadata"]["name"])) if key else None

    def owner(self, kind: str, namespace: str, name: str) -> Key | None:
        """The service whose pod or claim that is, by the name that it begins with."""
        parts = name.split("-")
        keys = ((namespace, "-".join(parts[:count])) for count in range(len(parts), 0, -1))
        return next((key for key in keys if (kind, name) in self._children.get(key, {})), None)

    def _shelf(self, key: Key, body: Manifest) -> dict[tuple[str, str], Manifest]:
        return (self._services if body["kind"] == KIND else self._children).setdefault(key, {})

    def _of(self, kind: Kind) -> Iterator[Manifest]:
        for shelf in (*self._services.values(), *self._children.values()):
            yield from (body for (of, _), body in shelf.items() if of == kind.kind)


def key_of(body: Manifest) -> Key | None:
    """The service that `body` is, or belongs to by its label."""
    metadata = body["metadata"]
    if body["kind"] == KIND:
        return metadata["namespace"], metadata["name"]
    service = metadata.get("labels", {}).get(names.LABEL_SERVICE)
    return (metadata["namespace"], service) if service else None


def _is_ready(body: Manifest) -> bool:
    conditions = body.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _at(body: Manifest, version: int) -> Manifest:
    return {**body, "metadata": {**body["metadata"], "resourceVersion": str(version)}}


def _slim(body: Manifest) -> Manifest:
    """`body` without its field managers, the bulk of it; only a Deployment's are ever asked for."""
    if body["kind"] == DEPLOYMENT.kind:
        return body
    metadata = {name: value for name, value in body["metadata"].items() if name != "managedFields"}
    return {**body, "metadata": metadata}
