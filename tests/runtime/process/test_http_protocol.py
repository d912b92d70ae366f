"""What a client may keep the server waiting for, over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.fakes.engine import SEGMENT, FakeEngine
from tests.runtime.conftest import ServingOf, speech
from whisper_runtime.http.app import create_app
from whisper_runtime.process import servers
from whisper_runtime.process.http_protocol import Connection
from whisper_runtime.process.servers import Server

PATH = "/v1/audio/transcriptions"
HUGE = replace(SEGMENT, text="a" * 20_000_000)
"""More than the sockets of both sides hold."""
SECONDS = 20


@asynccontextmanager
async def running(app: Any) -> AsyncIterator[tuple[Server, int]]:
    """A server, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serves = servers._server(app)
        task = asyncio.create_task(serves.serve(sockets=[listener]))
        await until(lambda: serves.started)
        yield serves, listener.getsockname()[1]
        serves.should_exit = True
        await task


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(SECONDS):
        while not true():
            await asyncio.sleep(0.001)


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What is still sent before the server closes the connection."""
    async with asyncio.timeout(SECONDS):
        return await reader.read()


@pytest.mark.parametrize(
    ("where", "bound", "sent"),
    [
        (servers, "KEEP_ALIVE_SECONDS", b""),
        (Connection, "header_seconds", b"GET /v1/models HTTP/1.1\r\nHost: a\r\n"),
    ],
)
async def test_who_sends_no_whole_header_is_disconnected(
    serving_of: ServingOf, monkeypatch: pytest.MonkeyPatch, where: object, bound: str, sent: bytes
) -> None:
    monkeypatch.setattr(where, bound, 0.1)
    async with running(create_app(serving_of())) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        assert await closed(reader) == b""
        writer.close()


async def test_a_header_that_comes_byte_by_byte_is_not_waited_for_longer(
    serving_of: ServingOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a client that has had an answer before, and then never ends the next header."""
    monkeypatch.setattr(Connection, "header_seconds", 0.2)
    async with running(create_app(serving_of())) as (serves, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")

        async def drip() -> None:
            while serves.server_state.connections:
                writer.write(b"G")
                await asyncio.sleep(0.01)

        async with asyncio.timeout(SECONDS):
            await asyncio.gather(drip(), reader.read(), return_exceptions=True)
        writer.close()


async def test_a_body_may_take_longer_than_a_header(serving_of: ServingOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "header_seconds", 0.02)
    request = httpx.Request("POST", "http://whisper/transcribe", files=speech(), headers={"connection": "close"})
    body = request.read()
    async with running(create_app(serving_of())) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(request) + body[:-10])
        await asyncio.sleep(0.1)
        writer.write(body[-10:])
        assert (await closed(reader)).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_who_still_sends_a_refused_form_gets_the_answer_and_no_reset(serving_of: ServingOf) -> None:
    headers = {"connection": "close", "content-type": "multipart/form-data; boundary=x"}
    body = b'--x\r\ncontent-disposition: form-data; name="language"\r\n\r\n' + b"x" * 20_000_000
    request = httpx.Request("POST", "http://whisper/transcribe", content=body, headers=headers)
    async with running(create_app(serving_of())) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(request) + body)
        async with asyncio.timeout(SECONDS):
            await writer.drain()
        answer = await closed(reader)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"field_too_long" in answer


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01 no HTTP\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"a" * 70_000]
)
async def test_what_is_no_http_is_refused_like_everything_else(serving_of: ServingOf, sent: bytes) -> None:
    async with running(create_app(serving_of())) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        status, _, body = (await closed(reader)).partition(b"\r\n\r\n")
        writer.close()
    assert status.startswith(b"HTTP/1.1 400")
    assert json.loads(body)["error"] == {
        "message": "Invalid HTTP request received. A header may have 64 KiB.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_http",
    }


def head(request: httpx.Request) -> bytes:
    lines = [f"POST {request.url.path} HTTP/1.1".encode(), *(b": ".join(pair) for pair in request.headers.raw)]
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def begun(port: int, engine: FakeEngine) -> socket.socket:
    """A client that streams and does not read, while more of its answer waits than its socket holds."""
    request = httpx.Request("POST", f"http://whisper{PATH}", files=speech(), data={"model": "base", "stream": "true"})
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(head(request) + request.read())
    await engine.until_submitted()
    for _ in range(2):
        engine.emit(HUGE)
    return client


async def test_who_stops_reading_a_stream_has_hung_up(
    serving_of: ServingOf, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "unread_seconds", 0.1)
    engine.answer, serving = None, serving_of()
    async with running(create_app(serving)) as (serves, port):
        with await begun(port, engine):
            assert serving.scratch.used > 0
            await until(lambda: not serves.busy)
    assert serving.scratch.used == 0
    assert engine.held[0].cancelled()
    labels = {"route": PATH, "status": "499"}
    assert serving.metrics.registry.get_sample_value("whisper_requests_total", labels) == 1


async def test_who_reads_slowly_is_served(serving_of: ServingOf, engine: FakeEngine) -> None:
    """Given a look at the connection after some was read, and another after nothing was."""
    engine.answer = None
    async with running(create_app(serving_of())) as (serves, port):
        with await begun(port, engine) as client:
            (connection,) = serves.server_state.connections
            assert isinstance(connection, Connection)
            await until(lambda: connection.flow.write_paused)
            waiting = connection.transport.get_write_buffer_size()
            client.setblocking(False)
            async with asyncio.timeout(SECONDS):
                while connection.transport.get_write_buffer_size() == waiting:
                    await asyncio.get_running_loop().sock_recv(client, 1_000_000)
            connection.look_again(waiting)
            assert not connection.transport.is_closing()
            connection.look_again(connection.transport.get_write_buffer_size())
            assert connection.transport.is_closing()
            await until(lambda: not serves.busy)
