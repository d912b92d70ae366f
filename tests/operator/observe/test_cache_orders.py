"""No order of lists, watch events and answers leaves the cache, or a service, with an old view of the cluster.

An API server in miniature is written to; its events, the pages of its lists and its answers to passes arrive in any
order in which they can, drawn by a seed. Once all have, the cache holds what is there, and each service's last pass has
seen it.
"""

from __future__ import annotations

import copy
import random
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import pytest

from whisper_operator.api.v1alpha1 import API_VERSION, KIND, Manifest, WhisperService
from whisper_operator.objects.kinds import INGRESS, SERVICE, WHISPER_SERVICE, Kind
from whisper_operator.objects.names import LABEL_SERVICE
from whisper_operator.observe.cache import DELETED, ObjectCache
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.listing import Listing
from whisper_operator.observe.records import Key, ObjectId

pytestmark = pytest.mark.slow

KINDS: Final = (WHISPER_SERVICE, SERVICE, INGRESS)
CHILDREN: Final = (SERVICE, INGRESS)
NAMES: Final = ("a", "b")
HOSTS: Final = ("x.example.com", "y.example.com", None)
PAGE: Final = 1
"""Objects of a page: an event may come between any two."""
SEEDS: Final = 1500
STEPS: Final = 60


class MiniatureServer:
    """Objects with versions, and of each kind the events that a watch has yet to show."""

    def __init__(self) -> None:
        self.version = 0
        self.objects: dict[tuple[str, str], Manifest] = {}
        self.events: dict[Kind, deque[tuple[Manifest, str]]] = {kind: deque() for kind in KINDS}

    def write(self, kind: Kind, name: str, **changes: Any) -> Manifest:
        """Creates or changes an object."""
        before = self.objects.get((kind.kind, name))
        body = {**(copy.deepcopy(before) if before else self._new(kind, name)), **changes}
        self.version += 1
        body["metadata"]["resourceVersion"] = str(self.version)
        self.objects[kind.kind, name] = body
        was_seen, is_seen = before is not None and in_sight(kind, before), in_sight(kind, body)
        if is_seen:
            self.events[kind].append((body, "MODIFIED" if was_seen else "ADDED"))
        elif was_seen:
            self.events[kind].append((body, DELETED))
        return body

    def delete(self, kind: Kind, name: str) -> None:
        """Deletes an object, or only begins to where a finalizer holds it."""
        body = self.objects[kind.kind, name]
        metadata = body["metadata"]
        if metadata.get("finalizers"):
            if "deletionTimestamp" not in metadata:
                self.write(kind, name, metadata={**metadata, "deletionTimestamp": "2026-01-01T00:00:00Z"})
            return
        self.version += 1
        gone = {**body, "metadata": {**metadata, "resourceVersion": str(self.version)}}
        del self.objects[kind.kind, name]
        if in_sight(kind, body):
            self.events[kind].append((gone, DELETED))

    def listed(self, kind: Kind) -> list[Manifest]:
        return [body for (of, _), body in self.objects.items() if of == kind.kind and in_sight(kind, body)]

    def _new(self, kind: Kind, name: str) -> Manifest:
        metadata: Manifest = {"name": name, "namespace": "team", "uid": f"{kind.kind}-{name}-{self.version}"}
        if kind == WHISPER_SERVICE:
            return {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": {"model": {"name": "base"}}}
        metadata["labels"] = {LABEL_SERVICE: name}
        metadata["ownerReferences"] = [{"kind": KIND, "name": name, "uid": name, "controller": True}]
        return {"kind": kind.kind, "metadata": metadata, "spec": {}}


def in_sight(kind: Kind, body: Manifest) -> bool:
    """Whether the watch of that kind shows the object."""
    return kind != SERVICE or LABEL_SERVICE in body["metadata"]["labels"]


def rules(host: str | None) -> Manifest:
    return {"rules": [{"host": host, "http": {"paths": [{"path": "/"}]}}]} if host else {}


class Orders:
    """One order of everything that may happen."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.server = MiniatureServer()
        self.woken: set[Key] = set()
        self.cache = ObjectCache(whole_cluster=True, wake=self.woken.update)
        self.passes: dict[Key, tuple[Any, Callable[[], None]]] = {}
        """Of each service under way: the hosts that others had at its beginning, and the answer that it waits for."""
        self.seen: dict[Key, Any] = {}
        """What each service's last pass knew at its end."""
        self.lists: dict[Kind, tuple[Listing, list[Manifest], int]] = {}
        """Of each kind whose watch has broken: the list by which it begins anew, and the pages to come."""
        for name in NAMES:
            self.server.write(WHISPER_SERVICE, name, spec={"model": {"name": "base"}, "ingress": {"host": HOSTS[0]}})

    def run(self) -> None:
        often = [self.the_watch_shows_an_event] * 4 + [self.a_pass_writes, self.a_pass_is_answered] * 3
        rarely = [self.a_watch_breaks_and_lists, self.a_resync_ends, self.a_page_comes, self.a_page_comes]
        by_others = [
            self.a_user_asks_for_a_host,
            self.somebody_edits_a_child,
            self.somebody_deletes_a_child,
            self.a_finalizer_comes_or_goes,
            self.a_label_goes_or_comes_back,
        ]
        for step in self.random.choices([*often, *rarely, *by_others], k=STEPS):
            step()
        self.everything_arrives()

    def a_user_asks_for_a_host(self) -> None:
        name, host = self.random.choice(NAMES), self.random.choice(HOSTS)
        spec: Manifest = {"model": {"name": "base"}} | ({"ingress": {"host": host}} if host else {})
        self.server.write(WHISPER_SERVICE, name, spec=spec)

    def somebody_edits_a_child(self) -> None:
        kind, name = self.random.choice(CHILDREN), self.random.choice(NAMES)
        if (kind.kind, name) in self.server.objects:
            self.server.write(kind, name)

    def somebody_deletes_a_child(self) -> None:
        kind, name = self.random.choice(CHILDREN), self.random.choice(NAMES)
        if (kind.kind, name) in self.server.objects:
            self.server.delete(kind, name)

    def a_finalizer_comes_or_goes(self) -> None:
        kind, name = self.random.choice(CHILDREN), self.random.choice(NAMES)
        if found := self.server.objects.get((kind.kind, name)):
            metadata = found["metadata"]
            finalizers = [] if metadata.get("finalizers") else ["example.com/hold"]
            self.server.write(kind, name, metadata={**metadata, "finalizers": finalizers})
            if "deletionTimestamp" in metadata and not finalizers:
                self.server.delete(kind, name)

    def a_label_goes_or_comes_back(self) -> None:
        name = self.random.choice(NAMES)
        if found := self.server.objects.get((SERVICE.kind, name)):
            labels = {} if found["metadata"]["labels"] else {LABEL_SERVICE: name}
            self.server.write(SERVICE, name, metadata={**found["metadata"], "labels": labels})

    def the_watch_shows_an_event(self) -> None:
        kind = self.random.choice(KINDS)
        if self.server.events[kind] and kind not in self.lists:
            self.woken |= self.cache.observe(*self.server.events[kind].popleft())

    def a_watch_breaks_and_lists(self) -> None:
        kind = self.random.choice(KINDS)
        self.server.events[kind].clear()
        listing = Listing(self.cache, kind, None)
        self.lists[kind] = listing, self.server.listed(kind), self.server.version

    def a_page_comes(self) -> None:
        kind = self.random.choice(KINDS)
        if kind in self.lists:
            listing, left, version = self.lists.pop(kind)
            self.woken |= listing.observe(left[:PAGE], version)
            if left[PAGE:]:
                self.lists[kind] = listing, left[PAGE:], version
            else:
                self.woken |= listing.end(version)
                self.find_strays()

    def a_resync_ends(self) -> None:
        """All at once: what may come between its lists and their pages does so at those of watches."""
        for kind in KINDS:
            listing = Listing(self.cache, kind, None)
            self.woken |= listing.observe(self.server.listed(kind), self.server.version)
            self.woken |= listing.end(self.server.version)
        self.cache.forget_tombstones(self.server.version)
        self.find_strays()

    def find_strays(self) -> None:
        """As the operator does after a list: what has no label is in no list that it takes in."""
        for (kind, name), body in self.server.objects.items():
            if kind == SERVICE.kind and not in_sight(SERVICE, body):
                self.cache.lose(("team", name), ObjectId(kind, "team", name))
                self.woken.add(("team", name))

    def a_pass_writes(self) -> None:
        """The API server has carried out one write of it; the answer is under way."""
        key, kind = ("team", self.random.choice(NAMES)), self.random.choice(CHILDREN)
        if key not in self.passes and self.cache.service(key):
            self.woken.discard(key)
            self.passes[key] = self._taken(key), self._write(key, kind)

    def a_pass_is_answered(self) -> None:
        key = ("team", self.random.choice(NAMES))
        if key in self.passes:
            taken, answer = self.passes.pop(key)
            answer()
            self.seen[key] = taken, self._children(key)

    def everything_arrives(self) -> None:
        while self.lists or self.passes or any(self.server.events.values()):
            self.random.choice([self.a_page_comes, self.the_watch_shows_an_event, self.a_pass_is_answered])()
        for key in sorted(self.woken & set(self.cache.keys())):
            self.seen[key] = self._taken(key), self._children(key)

    def wrong(self) -> list[str]:
        """What the cache has missed, and the services that nobody looked at again."""
        found: list[str] = []
        for name in NAMES:
            key = ("team", name)
            if self.cache.service(key) != self.server.objects[KIND, name]:
                found.append(f"WhisperService/{name} is an old one")
            for kind in CHILDREN:
                there, known = self.server.objects.get((kind.kind, name)), self._children(key).get((kind.kind, name))
                if there is None or in_sight(kind, there):
                    found.extend([f"{kind.kind}/{name} is not what is there"] if known != there else [])
                elif known is None and ObjectId(kind.kind, *key) not in self.cache.lost(key):
                    found.append(f"nobody looks for {kind.kind}/{name}")
            if self.seen.get(key) != (self._taken(key), self._children(key)):
                found.append(f"nobody looked at WhisperService/{name} again")
        return found

    def _write(self, key: Key, kind: Kind) -> Callable[[], None]:
        """Creates, brings into sight, changes or deletes a child, as the spec and the cache say; takes it in."""
        service = self.cache.service(key)
        assert service
        host = service["spec"].get("ingress", {}).get("host")
        at = ObjectId(kind.kind, *key)
        known = self.cache.newest({"kind": at.kind, "metadata": {"namespace": at.namespace, "name": at.name}})
        found = self.server.objects.get((kind.kind, at.name))
        is_wanted = kind == SERVICE or (bool(host) and not self._taken(key))
        if not is_wanted:
            if known is None or "deletionTimestamp" in known["metadata"]:
                return lambda: None
            if found and found["metadata"]["uid"] != known["metadata"]["uid"]:
                return lambda: None  # a conflict
            if found:
                self.server.delete(kind, at.name)
            return lambda: self.cache.delete(key, known)
        if found and found["metadata"]["uid"] != (known or found)["metadata"]["uid"]:
            return lambda: None  # a conflict
        labels = {LABEL_SERVICE: at.name}
        before = found or {}
        if before.get("spec") == rules(host) and before["metadata"]["labels"] == labels:
            answer = before
        else:
            metadata = {"metadata": {**before["metadata"], "labels": labels}} if found else {}
            answer = self.server.write(kind, at.name, **metadata, spec=rules(host))
        return lambda: self.cache.observe_answer(key, answer)

    def _taken(self, key: Key) -> dict[Any, str]:
        body = self.cache.service(key)
        assert body
        return self.cache.facts(WhisperService.parse(body), 0.0).taken  # pyright: ignore[reportReturnType]

    def _children(self, key: Key) -> dict[tuple[str, str], Manifest]:
        return self.cache.observed(key, Facts()).objects


def test_the_cache_holds_what_is_there_whatever_arrives_first() -> None:
    for seed in range(SEEDS):
        orders = Orders(seed)
        orders.run()
        assert orders.wrong() == [], f"seed {seed}"
