"""kopf itself, against a server of ours: lists come in pages, changes as events, and what fails is begun anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
from kubernetes import client

from tests.fakes import api_server
from tests.fakes.api_server import ApiServer
from tests.support.waiting import eventually_async
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.list_pages import Page
from whisper_operator.kube.watch_thread import WatchThread
from whisper_operator.objects.kinds import SERVICE, WHISPER_SERVICE

KINDS = frozenset({SERVICE, WHISPER_SERVICE})


class RecordingHandler:
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.events: list[tuple[str, str]] = []
        self._shown = asyncio.Event()

    def on_page(self, page: Page) -> None:
        self.pages.append(page)
        self._shown.set()

    def on_event(self, body: Manifest, event: str) -> None:
        self.events.append((event, body["metadata"]["name"]))
        self._shown.set()

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(30):
            while not holds():
                self._shown.clear()
                await self._shown.wait()

    def names(self) -> list[str]:
        """Of the listed Services."""
        return [body["metadata"]["name"] for page in self.pages if page.kind == SERVICE for body in page.objects]


def service(name: str, version: int = 1) -> Manifest:
    metadata = {"name": name, "namespace": "team", "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata}


@asynccontextmanager
async def watching(*objects: Manifest) -> AsyncGenerator[tuple[ApiServer, RecordingHandler, WatchThread]]:
    """Given these objects, once all of them have been listed."""
    async with api_server.serving(*KINDS) as server:
        server.objects.extend(objects)
        handler = RecordingHandler()
        thread = WatchThread(handler, "", client.Configuration(host=server.url))
        thread.start(KINDS)
        async with asyncio.timeout(30):
            await thread.wait_until_listed()
        yield server, handler, thread
        await thread.stop()


async def test_before_the_start_nothing_is_silent() -> None:
    """An operator that waits for an API server to answer is healthy."""
    assert WatchThread(RecordingHandler(), "", client.Configuration()).silent_seconds() == 0


async def test_a_list_comes_in_pages_and_not_as_events() -> None:
    async with watching(service("a"), service("b"), service("c")) as (server, handler, thread):
        assert handler.names() == ["a", "b", "c"]
        pages = [page for page in handler.pages if page.kind == SERVICE]
        assert [(page.is_first, page.is_last, page.version) for page in pages] == [(True, False, 10), (False, True, 10)]
        assert pages[0].objects[0]["apiVersion"] == "v1"
        assert thread.unlisted == []
        server.show(SERVICE, "MODIFIED", service("c", 11))
        await handler.until(lambda: handler.events)
        assert handler.events == [("MODIFIED", "c")]


async def test_a_watch_whose_version_is_too_old_is_begun_with_a_list() -> None:
    """So that an object that was deleted meanwhile is known to be gone."""
    async with watching(service("a"), service("b")) as (server, handler, _):
        del server.objects[0]
        server.show(SERVICE, "ERROR", {"code": 410, "message": "too old resource version"})
        await handler.until(lambda: len(handler.names()) > 2)
        assert handler.names() == ["a", "b", "b"]
        assert handler.pages[-1].is_first
        assert handler.pages[-1].is_last


async def test_lists_that_have_ended_are_told_once_however_they_were_begun() -> None:
    async with watching(service("a")) as (server, _, thread):
        assert await thread.have_listed_within(30)
        assert not await thread.have_listed_within(0)
        server.show(SERVICE, "ERROR", {"code": 410, "message": "too old resource version"})
        assert await thread.have_listed_within(30)


@pytest.mark.slow  # kopf takes six seconds to end
async def test_kopf_is_started_again_where_a_watch_ends_it(caplog: pytest.LogCaptureFixture) -> None:
    async with watching(service("a")) as (server, handler, _):
        server.show(SERVICE, "ERROR", {"code": 500, "message": "no"})
        await handler.until(lambda: len(handler.names()) > 1)
        assert "the watches ended and are started again" in caplog.text


@pytest.mark.slow  # kopf is judged when it has run for fifteen seconds
async def test_a_kind_that_was_not_served_when_kopf_began_is_told() -> None:
    async with api_server.serving(SERVICE) as server:
        thread = WatchThread(RecordingHandler(), "", client.Configuration(host=server.url))
        thread.start(KINDS)
        await eventually_async("it is told", lambda: thread.unwatched)
        assert thread.unwatched == {WHISPER_SERVICE}
        server.kinds.add(WHISPER_SERVICE)
        await thread.stop()
        thread.start(KINDS)
        async with asyncio.timeout(30):
            await thread.wait_until_listed()
        assert thread.unwatched == set()
        await thread.stop()
