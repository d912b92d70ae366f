"""One request to one server, over real sockets: what is sent, what comes back, and each way in which it fails."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager

import pytest

from whisper_runtime.errors import HttpError
from whisper_runtime.front.request import PassedRequest
from whisper_runtime.front.server_client import ServerClient, ServerLost, ServerNotReached, server_transport
from whisper_runtime.front.servers import ServerAddress

REQUEST = PassedRequest(
    "POST", b"/v1/x?a=%2F", [(b"host", b"speech"), (b"content-length", b"4")], "a", "", True, False, False, False
)
ServeConnection = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: ServeConnection) -> AsyncGenerator[ServerAddress]:
    """A server that has each connection served so."""

    async def and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(and_close, "127.0.0.1", 0)
    async with server:
        yield ServerAddress("127.0.0.1", server.sockets[0].getsockname()[1])


async def body() -> AsyncIterator[bytes]:
    yield b"bo"
    yield b"dy"


@pytest.fixture
async def client() -> AsyncIterator[ServerClient]:
    client = ServerClient(server_transport(), request_seconds=60)
    yield client
    await client.close()


async def test_the_request_arrives_as_it_is_and_the_answer_with_its_encoding(client: ServerClient) -> None:
    got: list[bytes] = []

    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.readuntil(b"\r\n\r\nbody"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nzzzz")

    sent: list[bool] = []
    async with serving(answers) as server, client.ask(server, REQUEST, body(), lambda: sent.append(True)) as answer:
        assert (answer.status, await answer.whole(100)) == (200, b"zzzz")
        assert answer.headers == [(b"content-encoding", b"gzip"), (b"content-length", b"4")]
    assert got == [b"POST /v1/x?a=%2F HTTP/1.1\r\nhost: speech\r\ncontent-length: 4\r\n\r\nbody"]
    assert sent == [True]


async def test_a_port_that_nobody_listens_on_has_nothing_of_the_request(client: ServerClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ServerNotReached):
        async with client.ask(ServerAddress("127.0.0.1", port), REQUEST, body(), lambda: None):
            pass


async def test_a_request_that_cannot_be_sent_is_not_its_servers_fault(client: ServerClient) -> None:
    """Else whoever sends such requests takes all servers from all others."""
    nameless = dataclasses.replace(REQUEST, headers=[])
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(HttpError, match="Host") as refused:
        async with client.ask(ServerAddress(*listener.getsockname()), nameless, body(), lambda: None):
            pass
    assert refused.value.status_code == 400


@pytest.mark.parametrize(
    "begun", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", b"not HTTP\r\n\r\n"]
)
async def test_a_server_that_ends_before_its_answers_first_byte_is_lost(client: ServerClient, begun: bytes) -> None:
    async def ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"body")
        writer.write(begun)

    async with serving(ends) as server:
        with pytest.raises(ServerLost):
            async with client.ask(server, REQUEST, body(), lambda: None):
                pass


async def test_an_answer_that_breaks_off_later_is_lost_behind_what_came(client: ServerClient) -> None:
    async def ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"body")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nte")

    async with serving(ends) as server, client.ask(server, REQUEST, body(), lambda: None) as answer:
        assert answer.first == b"te"
        with pytest.raises(ServerLost):
            await answer.whole(100)


async def test_a_refusal_before_the_body_was_read_is_an_answer(client: ServerClient) -> None:
    async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        await writer.drain()

    async with serving(refuses) as server, client.ask(server, REQUEST, body(), lambda: None) as answer:
        assert (answer.status, await answer.whole(100)) == (413, b"no")


async def test_a_server_is_left_as_soon_as_the_answer_is_not_wanted_any_more(client: ServerClient) -> None:
    left = asyncio.Event()

    async def goes_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"body")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\ndata: {}\n\n")
        await reader.read()
        left.set()

    async with serving(goes_on) as server:
        async with client.ask(server, REQUEST, body(), lambda: None) as answer:
            assert answer.first == b"data: {}\n\n"
        await asyncio.wait_for(left.wait(), 10)


async def test_a_body_is_whole_or_nothing(client: ServerClient) -> None:
    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"body")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789")

    async with serving(answers) as server, client.ask(server, REQUEST, body(), lambda: None) as answer:
        assert await answer.whole(9) is None


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Generator[socket.socket]:
    """A proxy of the environment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{listener.getsockname()[1]}")
        listener.setblocking(False)
        yield listener


async def test_no_proxy_of_the_environment_gets_a_recording(proxy: socket.socket) -> None:
    async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"body")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    client = ServerClient(server_transport(), request_seconds=60)
    async with serving(answers) as server, client.ask(server, REQUEST, body(), lambda: None) as answer:
        assert answer.status == 200
    with pytest.raises(BlockingIOError):
        proxy.accept()
    await client.close()
