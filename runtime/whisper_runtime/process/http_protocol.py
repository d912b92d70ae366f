"""A client's connection, with a bound on each wait for the client: uvicorn bounds only that between two requests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from whisper_runtime.errors import HttpError, error_response

HEADER_SECONDS: Final = 30.0
"""From the first byte of a request's header to its last; a header is one packet, or a few."""
LONGEST_HEADER: Final = 64 * 1024
"""Bytes; uvicorn's own bound."""
UNREAD_SECONDS: Final = 60.0
"""Without a byte of the response read, while more of it waits than the socket holds: the usual time-out of proxies."""


class JoinedResponse(h11.Connection):
    """Writes the head of a response whose length is known together with its body: one packet in the place of two.

    Each costs its sender a call of the kernel, and wakes who waits for it. The head of a stream goes out at once.
    """

    _head: Sequence[bytes] = ()
    """That waits for the first bytes of its body."""

    def send_with_data_passthrough(self, event: h11.Event) -> list[bytes] | None:
        written = super().send_with_data_passthrough(event)
        if written is None:
            return None
        if isinstance(event, h11.Response) and any(name == b"content-length" for name, _ in event.headers):
            self._head = written
            return []
        joined, self._head = [*self._head, *written], ()
        return joined


class Connection(H11Protocol):
    """Closes where a header does not come to its end, and breaks off where the client has stopped reading."""

    header_seconds = HEADER_SECONDS
    unread_seconds = UNREAD_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = JoinedResponse(h11.SERVER, LONGEST_HEADER)
        self._header: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        # A proxy may open a connection before it needs it, so that it may be idle as long as one between two requests.
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        self._unset_keepalive_if_required()
        self._header = _cancelled(self._header)
        self._unread = _cancelled(self._unread)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        begun, _ = self.conn.trailing_data
        if self.conn.their_state is not h11.IDLE or not begun:
            self._header = _cancelled(self._header)
        elif self._header is None:
            self._header = self.loop.call_later(self.header_seconds, self.timeout_keep_alive_handler)

    def send_400_response(self, msg: str) -> None:
        """400 for what is not HTTP, with the body that every other error has; no response within another one."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return self.transport.close()
        is_body = self.conn.our_state is h11.SEND_RESPONSE  # the header has been read
        why = "The body is not chunked as HTTP asks for." if is_body else "A header may have at most 64 KiB."
        error = HttpError(400, f"{msg} {why}", code="invalid_http")
        response = error_response(error)
        headers = [*response.raw_headers, (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=bytes(response.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.check_progress()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread = _cancelled(self._unread)

    def check_progress(self, before: int | None = None) -> None:
        """Breaks the connection off where the client has read nothing since the last check, else checks again later.

        `before` is the size of the write buffer at the last check, in bytes; None: this is the first. A request whose
        connection is broken off ends as if its client had hung up.
        """
        waiting = self.transport.get_write_buffer_size()
        if before is not None and waiting >= before:
            self.transport.abort()
        else:
            self._unread = self.loop.call_later(self.unread_seconds, self.check_progress, waiting)


def _cancelled(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
