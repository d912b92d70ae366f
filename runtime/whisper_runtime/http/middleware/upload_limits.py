"""Bounds on a body while it is read: its bytes, its pauses, its time."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whisper_runtime.errors import ClientGone, HttpError
from whisper_runtime.http.early_response import refuse, send_last
from whisper_runtime.http.middleware.admission import SAFE_METHODS
from whisper_runtime.http.middleware.base import HttpMiddleware
from whisper_runtime.http.request_state import state_of
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.upload_size import upload_too_large

IDLE_SECONDS: Final = 30.0
"""The longest pause between two pieces of a body."""


class UploadLimitsMiddleware(HttpMiddleware):
    """Refuses a body that turns out too large (413) or too slow (408), or for which the disk has no room (429, 503).

    A declared length was checked at the door.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_seconds: float, idle_seconds: float = IDLE_SECONDS) -> None:
        super().__init__(app)
        self.max_bytes = max_bytes
        self.max_seconds = max_seconds
        self.idle_seconds = idle_seconds

    async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in SAFE_METHODS:
            return await self.app(scope, receive, send)
        body = _Body(receive, state_of(scope).admitted, self.max_bytes, self.max_seconds, self.idle_seconds)

        async def unless_refused(message: Message) -> None:
            if body.refusal is not None:
                return
            if message["type"] == "http.response.body" and not (message.get("more_body") or body.complete):
                # The form is refused before all of it has come, as one of which a part is wrong.
                return await send_last(message.get("body", b""), scope, receive, send, self.max_bytes)
            await send(message)

        await self.app(scope, body.receive, unless_refused)
        if body.refusal is not None:
            await refuse(body.refusal, scope, receive, send, self.max_bytes)


class _Body:
    """A request's body as it comes in; `refusal` is set where it was not read to its end."""

    def __init__(
        self, receive: Receive, admitted: Admitted | None, max_bytes: int, max_seconds: float, idle_seconds: float
    ) -> None:
        """`admitted` is told what comes; None: the request is no work, and no route keeps its body."""
        self._receive = receive
        self._admitted = admitted
        self._max_bytes = max_bytes
        self._idle_seconds = idle_seconds
        self._ends = asyncio.get_running_loop().time() + max_seconds
        self._bytes = 0
        self.complete = False
        self.refusal: HttpError | None = None

    async def receive(self) -> Message:
        """The next message; raises HttpError once the body breaks a bound or the client is gone."""
        if self.complete:
            return await self._receive()
        message = await self._in_time()
        if message["type"] == "http.disconnect":
            raise ClientGone
        size, is_last = len(message.get("body", b"")), not message.get("more_body", False)
        self._bytes += size
        try:
            if self._bytes > self._max_bytes:
                raise upload_too_large(self._max_bytes)
            if self._admitted is not None:
                self._admitted.receive(size, is_last=is_last)
        except HttpError as refusal:
            self.refusal = refusal
            raise
        self.complete = is_last
        return message

    async def _in_time(self) -> Message:
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(now + self._idle_seconds, self._ends)):
                return await self._receive()
        except TimeoutError:
            self.refusal = _too_slow()
            raise self.refusal from None


def _too_slow() -> HttpError:
    message = "The request's body came too slowly, or stopped coming: send it again."
    return HttpError(408, message, code="upload_too_slow")
