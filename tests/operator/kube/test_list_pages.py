"""A list that kopf asks for: its pages are handed over whole, and kopf's are empty."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from kubernetes import client

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.list_pages import Page, session
from whisper_operator.objects.kinds import SERVICE

PATH = "/api/v1/services"
ITEMS = [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]


def listed(token: str = "") -> Manifest:
    metadata = {"resourceVersion": "7"} | ({"continue": token} if token else {})
    return {"apiVersion": "v1", "kind": "ServiceList", "metadata": metadata, "items": ITEMS}


@pytest.fixture
async def server() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        match request.path:
            case "/api/v1/services":
                return web.json_response(listed("" if "continue" in request.query else "next"))
            case "/api/v1/namespaces/team/services":
                return web.json_response({"kind": "Status", "code": 403, "items": ITEMS}, status=403)
            case _:
                return web.json_response({"authorization": request.headers.get("Authorization"), "items": ITEMS})

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


class PageReader:
    """Reads like kopf does, and keeps the pages that were handed over."""

    def __init__(self, server: str) -> None:
        self.pages: list[Page] = []
        configuration = client.Configuration(host=server)
        configuration.api_key = {"authorization": "Bearer abc"}
        targets = {PATH: (SERVICE, None), "/api/v1/namespaces/team/services": (SERVICE, "team")}
        self._server = server
        self._session = session(configuration, targets, self.take)

    async def take(self, page: Page) -> None:
        self.pages.append(page)

    async def read(self, path: str) -> Manifest:
        async with self._session.get(f"{self._server}{path}") as response:
            return await response.json()

    async def close(self) -> None:
        await self._session.close()


@pytest.fixture
async def reader(server: str) -> AsyncIterator[PageReader]:
    found = PageReader(server)
    yield found
    await found.close()


async def test_the_objects_of_a_list_are_handed_over_and_its_version_is_left(reader: PageReader) -> None:
    assert await reader.read(PATH) == {**listed("next"), "items": []}
    assert await reader.read(f"{PATH}?continue=next") == {**listed(), "items": []}
    objects = [{"apiVersion": "v1", "kind": "Service", **item} for item in ITEMS]
    assert reader.pages == [
        Page(SERVICE, None, objects, 7, is_first=True, is_last=False),
        Page(SERVICE, None, objects, 7, is_first=False, is_last=True),
    ]


@pytest.mark.parametrize("path", ["/apis", "/api/v1/namespaces/other/services", "/api/v1/namespaces/team/services"])
async def test_what_is_no_list_that_was_asked_for_is_left_alone(reader: PageReader, path: str) -> None:
    """Another path, or an error."""
    assert (await reader.read(path))["items"] == ITEMS
    assert reader.pages == []


async def test_the_credentials_are_sent(reader: PageReader) -> None:
    assert (await reader.read("/apis"))["authorization"] == "Bearer abc"


async def test_the_reader_waits_until_a_page_is_taken_in(server: str) -> None:
    taking, taken = asyncio.Event(), asyncio.Event()

    async def take(_: Page) -> None:
        taking.set()
        await taken.wait()

    async with session(client.Configuration(host=server), {PATH: (SERVICE, None)}, take) as opened:
        reading = asyncio.create_task(_read(opened, f"{server}{PATH}"))
        await taking.wait()
        assert not reading.done()
        taken.set()
        assert (await reading)["items"] == []


async def _read(opened: aiohttp.ClientSession, url: str) -> Manifest:
    async with opened.get(url) as response:
        return await response.json()
