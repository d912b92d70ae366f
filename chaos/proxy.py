"""A proxy before the API server that can do to each request what networks and servers do to it."""

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
"""What concerns one connection alone. Source: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1"""


class Cut(Exception):
    """The connection to the client is reset, in whichever state it is."""


@dataclass(frozen=True)
class Call:
    """A request of the operator."""

    method: str
    path: str
    is_watch: bool
    agent: str
    """Which of the operator's two clients asks: kopf's says `kopf/`."""

    @property
    def is_write(self) -> bool:
        """The Lease's excepted: it is renewed by the clock."""
        return self.method != "GET" and "/leases" not in self.path

    def __str__(self) -> str:
        return f"{self.method} {self.path.partition('/namespaces/')[2].partition('/')[2] or self.path}"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Forward = Callable[[], Awaitable[Answer]]
"""Sends the request on, once for each call."""
Meddler = Callable[[Call, Forward], Awaitable[Answer]]
"""Answers a request, with the API server's help or without; raises Cut."""
Editor = Callable[[Call, bytes], Awaitable[bytes]]
"""What a watch's client gets in place of one event's line; raises Cut."""


async def passing(call: Call, forward: Forward) -> Answer:
    return await forward()


async def unedited(call: Call, line: bytes) -> bytes:
    return line


class Proxy:
    """Plain HTTP on the loopback; whoever asks through it is known as `name` in the audit log."""

    def __init__(self, plane: ControlPlane, name: str) -> None:
        self.meddle: Meddler = passing
        self.edit: Editor = unedited
        self.writes: list[Call] = []
        """Every write that was tried, the Lease's excepted."""
        self.watched: list[str] = []
        """The path of every watch that was opened."""
        self.last_write = 0.0
        """By the loop's clock."""
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
        call = Call(request.method, request.path, "watch" in request.query, request.headers.get("User-Agent", ""))
        if call.is_write:
            self.writes.append(call)
            self.last_write = asyncio.get_running_loop().time()
        body = await request.read()
        try:
            if call.is_watch:
                return await self._stream(request, call)
            answer = await self.meddle(call, lambda: self._forward(request, body))
        except (Cut, aiohttp.ClientError) as error:
            # An API server that is down resets connections as a fault does.
            if request.transport is not None:
                request.transport.abort()
            raise web.HTTPBadGateway from error
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    async def _forward(self, request: web.Request, body: bytes) -> Answer:
        url = URL(f"{self._server}{request.raw_path}", encoded=True)
        data = body or None  # an empty body would get a content type of its own
        async with self._upstream.request(request.method, url, data=data, headers=self._headers(request)) as response:
            return Answer(response.status, await response.read(), _passed_on(response.headers))

    async def _stream(self, request: web.Request, call: Call) -> web.StreamResponse:
        """Watches go through event by event."""
        url = URL(f"{self._server}{request.raw_path}", encoded=True)
        async with self._upstream.get(url, headers=self._headers(request), read_bufsize=2**22) as response:
            answer = web.StreamResponse(status=response.status, headers=_passed_on(response.headers))
            await answer.prepare(request)
            self.watched.append(call.path)
            async for line in response.content:
                await answer.write(await self.edit(call, line))
            await answer.write_eof()
            return answer

    def _headers(self, request: web.Request) -> dict[str, str]:
        return {**_passed_on(request.headers), "Accept-Encoding": "identity", "User-Agent": self._name}


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.title() not in HOP_BY_HOP}
