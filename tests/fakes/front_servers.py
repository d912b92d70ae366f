"""Servers behind a front, without a socket: each request gets the next outcome of the server that it is sent to."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.types import ASGIApp, Message

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.front import LoadReport
from whisper_runtime.front.app import FrontParts, clients_app, front_parts
from whisper_runtime.front.servers import ServerAddress
from whisper_runtime.service.tracing import Tracing

A, B = ServerAddress("a", 1), ServerAddress("b", 1)
SECONDS = 10.0
"""The longest that a test waits."""


@dataclass(frozen=True)
class PlannedAnswer:
    """An answer, or its beginning: an exception among the parts ends it, and an event is waited for."""

    status: int = 200
    parts: Sequence[bytes | Exception | asyncio.Event] = (b'{"text":"Ask not."}',)
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)


PlannedOutcome = PlannedAnswer | Exception


@dataclass
class AskedRequest:
    server: ServerAddress
    method: str
    target: bytes
    headers: dict[str, str]
    body: bytes


@dataclass
class PlannedServers(httpx.AsyncBaseTransport):
    plans: dict[ServerAddress, list[PlannedOutcome]] = field(default_factory=lambda: defaultdict(list[PlannedOutcome]))
    """What comes of the next requests to a server; PlannedAnswer() where nothing is planned."""
    asked: list[AskedRequest] = field(default_factory=list[AskedRequest])
    closed: int = 0
    """Answers that were read to their end, or broken off."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        server = ServerAddress(request.url.host, request.url.port or 80)
        plan = self.plans[server]
        outcome = plan.pop(0) if plan else PlannedAnswer()
        if isinstance(outcome, httpx.ConnectError):
            raise outcome
        body = await request.aread()
        self.asked.append(
            AskedRequest(server, request.method, request.extensions["target"], dict(request.headers), body)
        )
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome.status, headers=outcome.headers, stream=_Parts(self, outcome.parts))


class _Parts(httpx.AsyncByteStream):
    def __init__(self, servers: PlannedServers, parts: Sequence[bytes | Exception | asyncio.Event]) -> None:
        self._servers = servers
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            if isinstance(part, Exception):
                raise part
            if isinstance(part, asyncio.Event):
                await part.wait()
            else:
                yield part

    async def aclose(self) -> None:
        self._servers.closed += 1


def load_report(**said: Any) -> LoadReport:
    """What a server says that is idle, but for what is `said`."""
    idle = {"is_ready": True, "queued_audio_seconds": 0, "free_rows": 64, "queue_limit_seconds": 1800, "speed": 10}
    return LoadReport.model_validate(idle | said)


class SentRequest:
    """A request to the front whose answer is looked at while it comes, and whose client may hang up."""

    def __init__(self, app: ASGIApp, request: httpx.Request, address: str = "192.0.2.1") -> None:
        path, _, query = request.url.raw_path.partition(b"?")
        self._app = app
        self._scope: dict[str, Any] = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "raw_path": path,
            "query_string": query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": (address, 1),
        }
        self._messages = [{"type": "http.request", "body": request.read(), "more_body": False}]
        self._gone = asyncio.Event()
        self._changed = asyncio.Event()
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = b""
        self.ended = False
        """Whether the answer has come to its end."""
        self.done = asyncio.create_task(self._run())

    async def _run(self) -> None:
        await self._app(self._scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if self._messages:
            return self._messages.pop()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")
            self.ended = not message.get("more_body", False)
        self._changed.set()

    def hang_up(self) -> None:
        self._gone.set()

    async def until(self, true: Callable[[], Any]) -> None:
        """Waits until that is true, which is looked at with each part of the answer."""
        async with asyncio.timeout(SECONDS):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    async def answered(self) -> SentRequest:
        async with asyncio.timeout(SECONDS):
            await self.done
        return self


class TriedFront:
    """A front in this process, without a socket."""

    def __init__(self, *ready: ServerAddress, tracing: Tracing | None = None, **config: Any) -> None:
        """`tracing` None: no spans are sent. `config`: of RuntimeConfig."""
        self.servers = PlannedServers()
        self.parts: FrontParts = front_parts(RuntimeConfig(**config), self.servers, tracing)
        self.app = clients_app(self.parts)
        self.ready(*ready)

    def ready(self, *servers: ServerAddress) -> None:
        """These servers are ready from now on, with rows for all requests."""
        for server in servers:
            self.parts.turnstile.note_load(server, load_report(), time.monotonic())

    def send(
        self, method: str = "POST", path: str = "/v1/audio/transcriptions", *, by: str = "192.0.2.1", **options: Any
    ) -> SentRequest:
        """Sends a request of the client at that address; `options`: as httpx.Request takes them."""
        return SentRequest(self.app, httpx.Request(method, f"http://speech{path}", **options), by)

    def upload(self, content: bytes = b"speech", *, by: str = "192.0.2.1", **fields: str) -> SentRequest:
        return self.send(by=by, files={"file": content}, data={"model": "base"} | fields)

    async def until(self, true: Callable[[], Any]) -> None:
        """Waits until that is true of the front."""
        async with asyncio.timeout(SECONDS):
            while not true():
                await asyncio.sleep(0.001)

    def counted(self, metric: str, **labels: str) -> float | None:
        return self.parts.metrics.registry.get_sample_value(metric, labels)
