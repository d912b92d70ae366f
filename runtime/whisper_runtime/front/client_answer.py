"""What the client of one request gets: comments while it waits for a server, then the answer, or an error."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from whisper_runtime.errors import ClientGone, HttpError, error_response
from whisper_runtime.front.server_client import ServerAnswer, ServerLost
from whisper_runtime.http.event_stream import EVENT_STREAM_TYPE, HEADERS, KEEP_ALIVE, KEEP_ALIVE_SECONDS
from whisper_runtime.http.middleware.access_log import cause_of
from whisper_runtime.http.request_state import state_of

LONGEST_EVENT: Final = 1024**2
"""Bytes of an answer that becomes one event."""


class ClientAnswer:
    """One answer. A client that waits for events is sent their header and comments before there is any answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._has_status = False
        self._comments: asyncio.Task[None] | None = None

    async def begin_events(self) -> None:
        """Begins a stream of events, and keeps it alive until the answer comes."""
        if self._comments is None:
            headers = {"content-type": f"{EVENT_STREAM_TYPE}; charset=utf-8", **HEADERS}
            await self._start(200, [(name.lower().encode(), value.encode()) for name, value in headers.items()])
            self._comments = asyncio.create_task(self._keep_alive(), name="keep-alive")

    async def pass_on(self, answer: ServerAnswer) -> None:
        """Sends the server's answer as it comes; one that breaks off is broken off, and so is told."""
        if self._comments is not None:
            return await self._as_events(answer)
        await self._start(answer.status, answer.headers)
        await self._parts(answer)

    async def send(self, message: Message) -> None:
        """Sends a message of an answer that is made here."""
        self._has_status = True
        await self._send(message)

    async def refuse(self, error: HttpError) -> None:
        """Ends with `error`: as an answer of its own, or as an event where events have begun."""
        if not self._has_status:
            return await error_response(error)(self._scope, self._receive, self._send)
        state_of(self._scope).stream_error = error
        if self._comments is not None and not isinstance(error, ClientGone):
            self.close()
            await self._last(_event(json.dumps({"error": error.body}).encode()))

    def close(self) -> None:
        """Sends no more comments."""
        if self._comments is not None:
            self._comments.cancel()

    async def _as_events(self, answer: ServerAnswer) -> None:
        """Goes on with the server's events, or makes one of an answer that is none."""
        if _is_event_stream(answer):
            return await self._parts(answer)
        try:
            body = await answer.whole(LONGEST_EVENT)
        except ServerLost:
            body = None
        if body is None:
            return await self.refuse(_broken_off())
        if answer.status >= 400:
            state_of(self._scope).stream_error = HttpError(answer.status, "", code=cause_of(body))
        self.close()
        await self._last(_event(body))

    async def _parts(self, answer: ServerAnswer) -> None:
        part = answer.first
        self.close()
        try:
            await self._more(part)
            async for part in answer.rest:
                await self._more(part)
        except ServerLost:
            state_of(self._scope).stream_error = _broken_off()
            if not _is_event_stream(answer):
                return  # unfinished: breaking the connection alone tells the client
            ends = b"" if part.endswith(b"\n\n") else b"\n\n"
            return await self._last(ends + _event(json.dumps({"error": _broken_off().body}).encode()))
        await self._last(b"")

    async def _keep_alive(self) -> None:
        with contextlib.suppress(OSError):  # the client is gone, which its request sees itself
            while True:
                await self._more(KEEP_ALIVE)
                await asyncio.sleep(KEEP_ALIVE_SECONDS)

    async def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def _more(self, part: bytes) -> None:
        await self._send({"type": "http.response.body", "body": part, "more_body": True})

    async def _last(self, part: bytes) -> None:
        message: Message = {"type": "http.response.body", "body": part, "more_body": False}
        await self._send(message)


def _is_event_stream(answer: ServerAnswer) -> bool:
    kind = dict(answer.headers).get(b"content-type", b"")
    return answer.status == 200 and kind.startswith(EVENT_STREAM_TYPE.encode())


def _event(body: bytes) -> bytes:
    """One event; the answer of a server is JSON on one line, but a line break must not end an event."""
    return b"".join(b"data: " + line + b"\n" for line in body.splitlines()) + b"\n"


def _broken_off() -> HttpError:
    message = "The server ended before the end of its answer: send the request again."
    return HttpError(502, message, code="server_lost")
