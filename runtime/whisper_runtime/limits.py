"""Bounds on what a client may send: bytes, time, and the disk that all uploads together may take."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whisper_runtime.errors import ApiError, ClientGone
from whisper_runtime.refusal import refuse

IDLE_SECONDS: Final = 30.0
"""The longest pause between two pieces of a body."""

UPLOADS_AT_ONCE: Final = 8
"""Uploads of the largest size that may lie on the scratch disk together; of smaller ones, as many more."""


class LimitUploads:
    """Refuses a body that is too large (413), too slow (408), or for which there is no disk now (429)."""

    def __init__(self, app: ASGIApp, max_bytes: int, max_seconds: float, idle_seconds: float = IDLE_SECONDS) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.max_seconds = max_seconds
        self.idle_seconds = idle_seconds
        self._free = UPLOADS_AT_ONCE * max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return await self.app(scope, receive, send)
        size = _declared_bytes(Headers(scope=scope), self.max_bytes)
        if size > self.max_bytes:
            return await refuse(_too_large(self.max_bytes), scope, receive, send)
        if size > self._free:
            return await refuse(_no_room(), scope, receive, send)
        self._free -= size
        try:
            await self._pass_on(scope, receive, send)
        finally:
            self._free += size

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = _Body(receive, self.max_bytes, self.max_seconds, self.idle_seconds)

        async def unless_refused(message: Message) -> None:
            if body.refused is None:
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
        self._complete = False
        self.refused: ApiError | None = None

    async def receive(self) -> Message:
        """The next message; raises ApiError, once the body breaks a bound or the client is gone."""
        if self._complete:
            return await self._receive()
        message = await self._in_time()
        if message["type"] == "http.disconnect":
            raise ClientGone
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._max_bytes:
            self.refused = _too_large(self._max_bytes)
            raise self.refused
        self._complete = not message.get("more_body", False)
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


def _no_room() -> ApiError:
    message = "There are too many uploads now: try again in a second."
    return ApiError(429, message, code="too_many_uploads", kind="rate_limit_error", headers={"Retry-After": "1"})
