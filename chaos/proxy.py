"""A proxy before the API server that can fail, delay or change each request and each event of a watch."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from aiohttp import web
from yarl import URL

from testbed.cluster.controlplane import ControlPlane

HOP_BY_HOP: Final = frozenset({"Connection", "Content-Length", "Host", "Keep-Alive", "Transfer-Encoding"})
"""Headers that concern one connection alone. Source: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1"""


class ConnectionCut(Exception):
    """Raised by a handler to reset the connection to the client."""


@dataclass(frozen=True)
class ProxiedRequest:
    """A request of the operator."""

    method: str
    path: str
    is_watch: bool
    agent: str
    """User agent; that of the operator's kopf client begins with `kopf/`."""

    @property
    def is_write(self) -> bool:
        """Renewals of the Lease do not count: they come by the clock."""
        return self.method != "GET" and "/leases" not in self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path.partition('/namespaces/')[2].partition('/')[2] or self.path}"


@dataclass(frozen=True)
class ProxiedResponse:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Forward = Callable[[], Awaitable[ProxiedResponse]]
"""Sends the request to the API server, once for each call."""
RequestHandler = Callable[[ProxiedRequest, Forward], Awaitable[ProxiedResponse]]
"""Answers a request, with the API server's help or without; raises ConnectionCut."""
WatchLineHandler = Callable[[ProxiedRequest, bytes], Awaitable[bytes]]
"""Returns the bytes that a watch's client gets in place of one event's line; raises ConnectionCut."""


async def pass_request(call: ProxiedRequest, forward: Forward) -> ProxiedResponse:
    return await forward()


async def pass_line(call: ProxiedRequest, line: bytes) -> bytes:
    return line


class Proxy:
    """Plain HTTP on the loopback; requests that pass through it carry `name` as their user agent in the audit log."""

    def __init__(self, plane: ControlPlane, name: str) -> None:
        self.handle_request: RequestHandler = pass_request
        self.handle_watch_line: WatchLineHandler = pass_line
        self.writes: list[ProxiedRequest] = []
        """Every write that was tried, renewals of the Lease excepted."""
        self.watched: list[str] = []
        """The path of every watch that was opened."""
        self.last_write = 0.0
        """Time by the event loop's clock, in seconds."""
        self._server, self._name = plane.server, name
        self._context = ssl.create_default_context(cafile=plane.certificate)

    async def __aenter__(self) -> Proxy:
        self._upstream = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._context),
            timeout=aiohttp.ClientTimeout(total=None),
            auto_decompress=False,
        )
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()
        await self._upstream.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        agent = request.headers.get("User-Agent", "")
        call = ProxiedRequest(request.method, request.path, "watch" in request.query, agent)
        if call.is_write:
            self.writes.append(call)
            self.last_write = asyncio.get_running_loop().time()
        body = await request.read()
        try:
            if call.is_watch:
                return await self._stream(request, call)
            answer = await self.handle_request(call, lambda: self._forward(request, body))
        except (ConnectionCut, aiohttp.ClientError) as error:
            # An API server that is down resets connections as a fault does.
            if request.transport is not None:
                request.transport.abort()
            raise web.HTTPBadGateway from error
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    async def _forward(self, request: web.Request, body: bytes) -> ProxiedResponse:
        url = URL(f"{self._server}{request.raw_path}", encoded=True)
        data = body or None  # an empty body would get a content type of its own
        async with self._upstream.request(request.method, url, data=data, headers=self._headers(request)) as response:
            return ProxiedResponse(response.status, await response.read(), _end_to_end(response.headers))

    async def _stream(self, request: web.Request, call: ProxiedRequest) -> web.StreamResponse:
        """Forwards a watch event by event."""
        url = URL(f"{self._server}{request.raw_path}", encoded=True)
        async with self._upstream.get(url, headers=self._headers(request), read_bufsize=2**22) as response:
            answer = web.StreamResponse(status=response.status, headers=_end_to_end(response.headers))
            await answer.prepare(request)
            self.watched.append(call.path)
            async for line in response.content:
                await answer.write(await self.handle_watch_line(call, line))
            await answer.write_eof()
            return answer

    def _headers(self, request: web.Request) -> dict[str, str]:
        return {**_end_to_end(request.headers), "Accept-Encoding": "identity", "User-Agent": self._name}


def _end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.title() not in HOP_BY_HOP}
