"""One request to one server, and its answer as it comes."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from whisper_runtime.errors import HttpError
from whisper_runtime.front.headers import RawHeaders, answer_headers
from whisper_runtime.front.request import PassedRequest
from whisper_runtime.front.servers import ServerAddress

CONNECT_SECONDS: Final = 3.0
WRITE_SECONDS: Final = 30.0
ANSWER_MARGIN_SECONDS: Final = 60.0
"""A server answers within the request time-out, and what streams is never as long without a byte."""
IDLE_SECONDS: Final = 60.0
"""Less than the 75 s for which servers keep an idle connection: none must be found closed."""
MOST_IDLE: Final = 4096
"""Idle connections are kept however many there are; httpcore looks at all of them once there are more than this."""
LOST_MILLISECONDS: Final = 30_000
"""Without a sign of a machine that was sent something, until it counts as gone."""
SOCKET_OPTIONS: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),  # a node that is gone resets no connection
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LOST_MILLISECONDS),
)


class ServerNotReached(Exception):
    """No connection came about: the server has nothing of the request."""


class ServerLost(Exception):
    """The connection ended, or timed out; nobody knows what the server has done."""


@dataclass(frozen=True)
class ServerAnswer:
    status: int
    headers: RawHeaders
    first: bytes
    """The first of its body; empty: it has none."""
    rest: AsyncIterator[bytes]
    """The parts behind it as they come; raises ServerLost."""

    async def whole(self, most: int) -> bytes | None:
        """The body; None: it has more than `most` bytes, and must not be used any more. Raises ServerLost."""
        body = bytearray(self.first)
        async for part in self.rest:
            body += part
            if len(body) > most:
                break
        return bytes(body) if len(body) <= most else None


class ServerClient:
    def __init__(self, transport: httpx.AsyncBaseTransport, request_seconds: float) -> None:
        """`request_seconds`: within which a server answers."""
        self._transport = transport
        self._timeouts = {
            "connect": CONNECT_SECONDS,
            "write": WRITE_SECONDS,
            "read": request_seconds + ANSWER_MARGIN_SECONDS,
        }

    @asynccontextmanager
    async def ask(
        self, address: ServerAddress, request: PassedRequest, body: AsyncIterator[bytes], on_sent: Callable[[], None]
    ) -> AsyncGenerator[ServerAnswer]:
        """The answer, from its first byte on, until the block ends; `on_sent` is called once the body is sent.

        Raises ServerNotReached, ServerLost, and HttpError (400) where HTTP does not let the request be sent.
        """
        asked = httpx.Request(
            request.method,
            f"http://{address.authority}",
            headers=request.headers,
            stream=_SentBody(body, on_sent),
            extensions={"timeout": self._timeouts, "target": request.target},
        )
        try:
            response = await self._transport.handle_async_request(asked)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ServerNotReached(str(error)) from None
        except httpx.LocalProtocolError as error:
            raise HttpError(400, f"The request cannot be passed on: {error}.", code="invalid_http") from None
        except httpx.TransportError as error:
            raise ServerLost(str(error)) from None
        try:
            async with aclosing(_parts(response)) as parts:
                first = await anext(parts, b"")
                yield ServerAnswer(response.status_code, answer_headers(response.headers.raw), first, parts)
        finally:
            await response.aclose()

    async def close(self) -> None:
        await self._transport.aclose()


def server_transport() -> httpx.AsyncHTTPTransport:
    """Connections to servers, without TLS; no proxy of the environment is used, and nothing is repeated."""
    return httpx.AsyncHTTPTransport(
        verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),  # else all of certifi's authorities are read
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=MOST_IDLE, keepalive_expiry=IDLE_SECONDS),
        socket_options=SOCKET_OPTIONS,
    )


class _SentBody(httpx.AsyncByteStream):
    def __init__(self, pieces: AsyncIterator[bytes], on_sent: Callable[[], None]) -> None:
        self._pieces = pieces
        self._on_sent = on_sent

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._pieces:
            yield piece
        self._on_sent()


async def _parts(response: httpx.Response) -> AsyncGenerator[bytes]:
    """The body as the server has encoded it. Raises ServerLost."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    try:
        async for part in response.stream:
            if part:
                yield part
    except httpx.TransportError as error:
        raise ServerLost(str(error)) from None
