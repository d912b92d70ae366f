"""Given a server that notes what reaches it whole, a replica that no longer leads sends nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from kubernetes import client

from whisper_operator.kube import client as requests
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError, LeaseLost
from whisper_operator.objects.kinds import SERVICE

MANIFEST = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "speech", "namespace": "team", "uid": "1"}}

Write = Callable[[Cluster], Awaitable[object]]
WRITES: dict[str, Write] = {
    "PATCH": lambda cluster: cluster.apply(SERVICE, MANIFEST),
    "POST": lambda cluster: cluster.create(SERVICE, MANIFEST),
    "PUT": lambda cluster: cluster.replace(SERVICE, MANIFEST),
    "DELETE": lambda cluster: cluster.delete(SERVICE, MANIFEST),
}


@dataclass
class Server:
    url: str = ""
    methods: list[str] = field(default_factory=list[str])

    async def answer(self, request: web.Request) -> web.Response:
        await request.read()
        self.methods.append(request.method)
        return web.json_response(MANIFEST)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    started, app = Server(), web.Application()
    app.router.add_route("*", "/{path:.*}", started.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    started.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield started
    await runner.cleanup()


def leading(server: Server, times: int) -> Cluster:
    """A cluster whose replica leads for so many questions, and then no longer."""
    answers = iter([None] * times)

    def check() -> None:
        if next(answers, LeaseLost) is LeaseLost:
            raise LeaseLost("another replica leads")

    configuration = client.Configuration()
    configuration.host = server.url
    return Cluster(configuration, before_write=check)


@pytest.mark.parametrize("method", WRITES)
async def test_who_leads_writes(server: Server, method: str) -> None:
    cluster = leading(server, 2)
    await WRITES[method](cluster)
    assert server.methods == [method]
    await cluster.close()


@pytest.mark.parametrize("method", WRITES)
async def test_who_does_not_lead_writes_nothing(server: Server, method: str) -> None:
    cluster = leading(server, 0)
    with pytest.raises(LeaseLost):
        await WRITES[method](cluster)
    assert server.methods == []
    await cluster.close()


@pytest.mark.parametrize("method", WRITES)
async def test_who_was_stopped_between_its_check_and_the_socket_writes_nothing(server: Server, method: str) -> None:
    cluster = leading(server, 1)
    with pytest.raises(ApiError, match="another replica leads"):
        await WRITES[method](cluster)
    assert server.methods == []
    await cluster.close()


async def test_a_request_that_takes_too_long_fails(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "REQUEST_SECONDS", 0.05)
    async with asking(silent) as asked:
        with pytest.raises(ApiError, match="TimeoutError"):
            await asked


async def test_who_is_cancelled_while_a_request_times_out_is_cancelled(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a replica wakes up after a minute: the Lease is lost, and every request is too late at once."""
    monkeypatch.setattr(requests, "REQUEST_SECONDS", 0.05)
    async with asking(silent) as asked:
        asyncio.get_running_loop().call_later(0.05, asked.cancel)
        await asyncio.sleep(0.02)
        time.sleep(0.1)
        with pytest.raises(asyncio.CancelledError):
            await asked


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """The address of a server that takes requests and never answers."""
    open_ones: list[asyncio.StreamWriter] = []
    async with await asyncio.start_server(lambda _, writer: open_ones.append(writer), "127.0.0.1", 0) as listening:
        host, port = listening.sockets[0].getsockname()
        yield f"http://{host}:{port}"
        for writer in open_ones:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def asking(url: str) -> AsyncGenerator[asyncio.Task[object]]:
    configuration = client.Configuration()
    configuration.host = url
    cluster = Cluster(configuration)
    try:
        yield asyncio.create_task(cluster.get(SERVICE, "team", "speech"))
    finally:
        await cluster.close()
