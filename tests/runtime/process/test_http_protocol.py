"""Every wait of the server for a client has a bound, over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import h11
import httpx
import pytest
from starlette.types import Receive, Scope, Send

from tests.fakes.engine import SEGMENT, FakeEngine
from tests.runtime.conftest import PartsOf, speech
from whisper_runtime.http.app import create_app
from whisper_runtime.process.http_protocol import Connection, JoinedResponse
from whisper_runtime.process.listening import UvicornServer, uvicorn_server

PATH = "/v1/audio/transcriptions"
HUGE = replace(SEGMENT, text="a" * 20_000_000)
"""More than the sockets of both sides hold."""
SECONDS = 20


class Impatient(Connection):
    """Waits for a header, and for a client that does not read, no longer than a test does."""

    header_seconds = 0.1
    unread_seconds = 0.1


@asynccontextmanager
async def running(app: Any, **options: Any) -> AsyncIterator[tuple[UvicornServer, int]]:
    """A server, and its port; the socket takes connections at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn_server(app, **options)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        yield server, listener.getsockname()[1]
        server.should_exit = True
        await task


async def idle(server: UvicornServer) -> None:
    """Waits until no request is left."""
    async with asyncio.timeout(SECONDS):
        await asyncio.gather(*server.server_state.tasks, return_exceptions=True)


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What is still sent before the server closes the connection."""
    async with asyncio.timeout(SECONDS):
        return await reader.read()


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"keep_alive_seconds": 0.1}, b""),
        ({"connection": Impatient}, b"GET /v1/models HTTP/1.1\r\nHost: a\r\n"),
    ],
)
async def test_a_client_that_sends_no_whole_header_is_disconnected(
    parts_of: PartsOf, options: dict[str, Any], sent: bytes
) -> None:
    async with running(create_app(parts_of()), **options) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        assert await closed(reader) == b""
        writer.close()


async def test_a_header_that_comes_byte_by_byte_is_not_waited_for_longer(parts_of: PartsOf) -> None:
    """Given a client that has had an answer before, and then never ends the next header."""
    async with running(create_app(parts_of()), connection=Impatient) as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")

        async def drip() -> None:
            while server.server_state.connections:
                writer.write(b"G")
                await asyncio.sleep(0.01)  # the client's pace, well within the bound on a whole header

        async with asyncio.timeout(SECONDS):
            await asyncio.gather(drip(), reader.read(), return_exceptions=True)
        writer.close()


async def test_a_body_may_take_longer_than_a_header(parts_of: PartsOf) -> None:
    request = httpx.Request("POST", "http://whisper/transcribe", files=speech(), headers={"connection": "close"})
    body, reading = request.read(), asyncio.Event()
    app = create_app(parts_of())

    async def observed(scope: Scope, receive: Receive, send: Send) -> None:
        reading.set()
        await app(scope, receive, send)

    async with running(observed, connection=Impatient) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head(request) + body[:-10])
        await reading.wait()
        await asyncio.sleep(Impatient.header_seconds)  # a timer that the header had started would be over now
        writer.write(body[-10:])
        assert (await closed(reader)).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_client_that_still_sends_a_refused_form_gets_the_answer_and_no_reset(parts_of: PartsOf) -> None:
    headers = {"connection": "close", "content-type": "multipart/form-data; boundary=x"}
    body = b'--x\r\ncontent-disposition: form-data; name="language"\r\n\r\n' + b"x" * 20_000_000
    request = httpx.Request("POST", "http://whisper/transcribe", content=body, headers=headers)
    async with running(create_app(parts_of())) as (_, port):
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
async def test_what_is_not_http_is_refused_like_everything_else(parts_of: PartsOf, sent: bytes) -> None:
    async with running(create_app(parts_of())) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        status, _, body = (await closed(reader)).partition(b"\r\n\r\n")
        writer.close()
    assert status.startswith(b"HTTP/1.1 400")
    assert json.loads(body)["error"] == {
        "message": "Invalid HTTP request received. A header may have at most 64 KiB.",
        "type": "invalid_request_error",
        "param": None,
        "code": "invalid_http",
    }


CHUNKED = b"POST /transcribe HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=x\r\n"
CHUNKED += b"Transfer-Encoding: chunked\r\n\r\n"


async def test_a_body_that_is_not_chunked_right_is_told_so(parts_of: PartsOf) -> None:
    async with running(create_app(parts_of())) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(CHUNKED + b"3\r\n--x\r\nnot a size\r\n")
        status, _, body = (await closed(reader)).partition(b"\r\n\r\n")
        writer.close()
    assert status.startswith(b"HTTP/1.1 400")
    assert json.loads(body)["error"]["message"] == (
        "Invalid HTTP request received. The body is not chunked as HTTP asks for."
    )


async def test_after_a_refusal_the_rest_of_the_body_may_be_anything(
    parts_of: PartsOf, engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer stays the one that was sent, and nothing fails in the server."""
    engine.queued_audio_seconds = 10_000
    async with running(create_app(parts_of())) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(CHUNKED)
        await reader.readuntil(b"queue_full")
        writer.write(b"not a size\r\n")
        await closed(reader)
        writer.close()
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []


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


async def test_a_client_that_stops_reading_a_stream_has_hung_up(parts_of: PartsOf, engine: FakeEngine) -> None:
    engine.answer, parts = None, parts_of()
    async with running(create_app(parts), connection=Impatient) as (server, port):
        with await begun(port, engine):
            assert parts.admission.disk.used > 0
            await idle(server)
    assert parts.admission.disk.used == 0
    assert engine.held[0].cancelled()
    labels = {"route": PATH, "status": "499"}
    assert parts.metrics.registry.get_sample_value("whisper_requests_total", labels) == 1


async def test_a_client_that_reads_slowly_is_served(parts_of: PartsOf, engine: FakeEngine) -> None:
    """Given a check of the connection after some was read, and another after nothing was."""
    paused = asyncio.Event()

    class PausedConnection(Connection):
        def pause_writing(self) -> None:
            super().pause_writing()
            paused.set()

    engine.answer = None
    async with running(create_app(parts_of()), connection=PausedConnection) as (server, port):
        with await begun(port, engine) as client:
            (connection,) = server.server_state.connections
            assert isinstance(connection, Connection)
            await paused.wait()
            waiting = connection.transport.get_write_buffer_size()
            client.setblocking(False)
            async with asyncio.timeout(SECONDS):
                while connection.transport.get_write_buffer_size() == waiting:
                    await asyncio.get_running_loop().sock_recv(client, 1_000_000)
            connection.check_progress(waiting)
            assert not connection.transport.is_closing()
            connection.check_progress(connection.transport.get_write_buffer_size())
            assert connection.transport.is_closing()
            await idle(server)


def response(connection: h11.Connection, *headers: tuple[str, str]) -> tuple[bytes | None, bytes | None]:
    """What is written for the head of a response, and for its first bytes."""
    connection.receive_data(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    connection.next_event()
    head = connection.send(h11.Response(status_code=200, headers=list(headers)))
    return head, connection.send(h11.Data(data=b"text"))


def test_a_response_of_a_known_length_is_written_at_once() -> None:
    head, both = response(JoinedResponse(h11.SERVER), ("content-length", "4"))
    assert (head, both) == (b"", b"HTTP/1.1 200 \r\ncontent-length: 4\r\n\r\ntext")


def test_who_waits_for_a_stream_gets_its_head_before_it_has_anything() -> None:
    head, first = response(JoinedResponse(h11.SERVER))
    assert (head, first) == (b"HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n", b"4\r\ntext\r\n")
