"""Lists and watches reach the cache, and the services that they concern the queue: a change before a list's rest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, cast

from tests.fakes.cluster import FakeCluster
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.list_pages import Page
from whisper_operator.objects.kinds import CLAIM, DEPLOYMENT, EVENT, NODE, POD, SERVICE, WHISPER_SERVICE, Kind
from whisper_operator.observe.cache import DELETED, ObjectCache
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.records import Key
from whisper_operator.process.informer import Informer, services_first
from whisper_operator.reconcile.queue import Queue


def body(kind: Kind, service: str, version: int, name: str = "") -> dict[str, Any]:
    labels = {"whisper-operator.io/service": service}
    metadata = {"namespace": "team", "name": name or service, "uid": f"{kind.kind}/{name or service}", "labels": labels}
    return {"kind": kind.kind, "metadata": {**metadata, "resourceVersion": str(version)}}


class InformedQueue:
    """An informer with its cache and its queue."""

    def __init__(self) -> None:
        self.cache = ObjectCache(whole_cluster=True)
        self.queue = Queue()
        self.informer = Informer(self.cache, self.queue, service_class="")

    async def queued(self) -> list[Key]:
        """The keys that wait, the next one first; they are done with then."""
        found: list[Key] = []
        self.queue.add(("", "last"))
        while (key := await self.queue.get()) != ("", "last"):
            found.append(key)
        self.queue.done(key)
        for key in found:
            self.queue.done(key)
        return found

    def children(self, service: str) -> list[tuple[str, str]]:
        return list(self.cache.observed(("team", service), Facts()).objects)


def page(objects: Iterable[Manifest], *, is_first: bool = True, is_last: bool = True, version: int = 100) -> Page:
    return Page(SERVICE, None, list(objects), version, is_first, is_last)


async def test_an_event_queues_the_service_that_it_concerns() -> None:
    watched = InformedQueue()
    watched.informer.on_event(body(SERVICE, "a", 1), "ADDED")
    assert watched.children("a") == [("Service", "a")]
    watched.informer.on_event(body(SERVICE, "a", 2), DELETED)
    assert watched.children("a") == []
    assert await watched.queued() == [("team", "a")]


async def test_a_change_goes_before_what_a_list_holds() -> None:
    watched = InformedQueue()
    watched.informer.on_page(page([body(SERVICE, "a", 1)]))
    watched.informer.on_event(body(SERVICE, "b", 101), "ADDED")
    assert (await watched.queue.get(), await watched.queue.get()) == (("team", "b"), ("team", "a"))


async def test_what_no_page_of_a_list_held_is_gone_at_its_end() -> None:
    watched = InformedQueue()
    for name in ("a", "b", "c"):
        watched.informer.on_event(body(SERVICE, name, 1), "ADDED")
    await watched.queued()
    watched.informer.on_page(page([body(SERVICE, "a", 1)], is_last=False))
    watched.informer.on_page(page([body(SERVICE, "b", 1)], is_first=False))
    assert [bool(watched.children(name)) for name in ("a", "b", "c")] == [True, True, False]


async def test_a_list_that_is_begun_again_counts_from_its_first_page() -> None:
    """As when a page failed: what its predecessor held may be gone."""
    watched = InformedQueue()
    watched.informer.on_page(page([body(SERVICE, "a", 1)], is_last=False))
    watched.informer.on_page(page([body(SERVICE, "b", 1)]))
    assert [bool(watched.children(name)) for name in ("a", "b")] == [False, True]


class ListServer:
    """Lists what it has, in pages of one."""

    def __init__(self, *objects: Manifest) -> None:
        self.listed: list[tuple[str, str | None]] = []
        self._objects = objects

    async def pages(
        self, kind: Kind, namespace: str | None, selector: str = ""
    ) -> AsyncIterator[tuple[list[Manifest], int]]:
        self.listed.append((kind.kind, namespace))
        for found in [one for one in self._objects if one["kind"] == kind.kind]:
            yield [found], 100
        yield [], 100


async def test_a_resync_counts_the_services_of_which_no_watch_has_told() -> None:
    watched, node = InformedQueue(), {"kind": "Node", "metadata": {"name": "n", "uid": "n", "resourceVersion": "1"}}
    watched.informer.on_event(body(WHISPER_SERVICE, "known", 1), "ADDED")
    watched.informer.on_event(body(SERVICE, "gone", 1), "ADDED")
    known = (body(WHISPER_SERVICE, "known", 1), body(SERVICE, "new", 1), node)
    server = ListServer(*known)
    kinds = {SERVICE, WHISPER_SERVICE, NODE, EVENT}
    assert await watched.informer.resync(cast(Cluster, server), kinds, (None,)) == 2
    assert (watched.children("gone"), watched.children("new")) == ([], [("Service", "new")])
    assert server.listed == [("WhisperService", None), ("Node", None), ("Service", None)]
    assert await watched.informer.resync(cast(Cluster, server), kinds, (None,)) == 0


async def test_a_resync_lists_each_namespace_that_is_watched() -> None:
    server = ListServer()
    await InformedQueue().informer.resync(cast(Cluster, server), {WHISPER_SERVICE}, ("a", "b"))
    assert server.listed == [("WhisperService", "a"), ("WhisperService", "b")]


def test_services_are_listed_before_their_children() -> None:
    assert services_first({CLAIM, POD, WHISPER_SERVICE, DEPLOYMENT})[0] == WHISPER_SERVICE


async def test_children_that_lost_their_label_unseen_are_found_by_their_owner() -> None:
    """Given one of a service, one of a predecessor of its name, and somebody else's."""
    watched = InformedQueue()
    watched.informer.on_event(body(WHISPER_SERVICE, "a", 1), "ADDED")
    await watched.queued()
    cluster = FakeCluster(stray("own", "WhisperService/a"), stray("old", "before"), stray("other", None))
    await watched.informer.find_strays(cast(Cluster, cluster), {SERVICE, POD, WHISPER_SERVICE}, [None])
    assert cluster.requests == [("list", "Service", "")]
    assert {child.name for child in watched.cache.lost(("team", "a"))} == {"own"}
    assert await watched.queue.get() == ("team", "a")


def stray(name: str, owner: str | None) -> Manifest:
    metadata: dict[str, Any] = {"namespace": "team", "name": name}
    if owner:
        ref = {"kind": "WhisperService", "name": "a", "uid": owner, "controller": True}
        metadata["ownerReferences"] = [ref]
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata}
