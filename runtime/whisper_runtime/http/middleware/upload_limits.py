"""Bounds on an upload: its bytes, its time, and the disk that is left for it."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whisper_runtime.errors import ApiError, ClientGone
from whisper_runtime.http.early_response import last, refuse
from whisper_runtime.service.disk_quota import Scratch

IDLE_SECONDS: Final = 30.0
"""The longest pause between two pieces of a body."""


class LimitUploads:
    """Refuses a body that is too large (413), too slow (408), or for which there is no disk now (503)."""

    def __init__(
        self,
        app: ASGIApp,
        scratch: Scratch,
        max_bytes: int,
        max_seconds: float,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.app = app
        self.scratch = scratch
        self.max_bytes = min(max_bytes, scratch.limit)
        self.max_seconds = max_seconds
        self.idle_seconds = idle_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return await self.app(scope, receive, send)
        size = _declared_bytes(Headers(scope=scope), self.max_bytes)
        if size > self.max_bytes:
            return await refuse(_too_large(self.max_bytes), scope, receive, send)
        with ExitStack() as held:
            try:
                held.enter_context(self.scratch.reserved(size))
            except ApiError as error:
                return await refuse(error, scope, receive, send)
            await self._pass_on(scope, receive, send)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(receive, self.max_bytes, self.max_seconds, self.idle_seconds)

        async def unless_refused(message: Message) -> None:
            if body.refused is not None:
                return
            if message["type"] == "http.response.body" and not (message.get("more_body") or body.complete):
                # The form is refused before all of it has come, as one of which a part is wrong.
                return await last(message.get("body", b""), scope, receive, send)
            await send(message)

        await self.app(scope, body.receive, unless_refused)
        if body.refused is not None:
            await refuse(body.refused, scope, receive, send)


class _Body:
    """A request's body as it comes in; `refused` says why it was not read to its end."""

    def __init__(self, receive: Receive, max_bytes: int, max_seconds: float, idle_seconds: float) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._idle_seconds = idle_seconds
        self._ends = asyncio.get_running_loop().time() + max_seconds
        self._bytes = 0
        self.complete = False
        self.refused: ApiError | None = None

    async def receive(self) -> Message:
        """The next message; raises ApiError, once the body breaks a bound or the client is gone."""
        if self.complete:
            return await self._receive()
        message = await self._in_time()
        if message["type"] == "http.disconnect":
            raise ClientGone
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._max_bytes:
            self.refused = _too_large(self._max_bytes)
            raise self.refused
        self.complete = not message.get("more_body", False)
        return message

    async def _in_time(self) -> Message:
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(now + self._idle_seconds, self._ends)):
                return await self._receive()
        except TimeoutError:
            self.refused = _too_slow()
            raise self.refused from None


def _declared_bytes(headers: Headers, otherwise: int) -> int:
    """The length that the client declares; a chunked body may become as large as is allowed."""
    declared = headers.get("content-length", "")
    return int(declared) if declared.isdecimal() else otherwise


def _too_large(max_bytes: int) -> ApiError:
    message = (
        f"The request is larger than the {max_bytes} bytes that this server accepts: "
        "send a shorter or a compressed recording."
    )
    return ApiError(413, message, param="file", code="upload_too_large")


def _too_slow() -> ApiError:
    return ApiError(408, "The request's body came too slowly, or stopped coming.", code="upload_too_slow")
