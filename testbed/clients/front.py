"""A front before the runtime that counts requests, and refuses as many as it is told."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from io import BufferedIOBase
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Final, cast

RETRY_AFTER: Final = 3
"""Seconds; more than a client waits on its own before it asks a second time."""
REASONS: Final = {429: "Too Many Requests", 503: "Service Unavailable"}
BLOCK: Final = 65536


class CountingFront(ThreadingTCPServer):
    """One request for each connection; what is not refused goes to the server on `behind`, byte by byte."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, behind: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = behind
        self.seen: list[float] = []
        """When each request came, in seconds of the monotonic clock."""
        self.status = 0
        self.refusals = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def refuse(self, status: int, times: int) -> None:
        """Forgets what was seen, and answers the next `times` requests with `status` and `Retry-After`."""
        self.seen, self.status, self.refusals = [], status, times

    def is_refused(self) -> bool:
        """Notes a request, and tells whether it is one of those that are refused."""
        self.seen.append(time.monotonic())
        self.refusals -= 1
        return self.refusals >= 0


class _Handler(StreamRequestHandler):
    def handle(self) -> None:
        front = cast(CountingFront, self.server)
        if not (head := _head(self.rfile)):
            return
        if front.is_refused():
            _drain(self.rfile, head)
            self.wfile.write(_refusal(front.status))
            return
        with socket.create_connection(("127.0.0.1", front.behind)) as behind:
            line, *fields = [line for line in head if not line.lower().startswith(b"connection:")]
            behind.sendall(b"".join((line, b"Connection: close\r\n", *fields)))
            upload = threading.Thread(target=_pump, args=(self.rfile, behind), daemon=True)
            upload.start()
            _pump(behind.makefile("rb"), self.connection)
            for side in (self.connection, behind):
                with suppress(OSError):  # it hung up first
                    side.shutdown(socket.SHUT_RDWR)
            upload.join()


def _head(stream: BufferedIOBase) -> list[bytes]:
    """The lines of a request's head, with the empty one; none where the client hung up."""
    lines: list[bytes] = []
    while line := stream.readline(BLOCK):
        lines.append(line)
        if line == b"\r\n":
            return lines
    return []


def _drain(stream: BufferedIOBase, head: list[bytes]) -> None:
    """Reads the body, for a client that is still sending may not see an answer."""
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in head[1:])}
    if b"chunked" in fields.get(b"transfer-encoding", b"").lower():
        while size := int(stream.readline().partition(b";")[0], 16):
            stream.read(size + 2)
        stream.readline()
    else:
        stream.read(int(fields.get(b"content-length", b"0")))


def _refusal(status: int) -> bytes:
    message = f"The queue is full. Try again in {RETRY_AFTER} s."
    error = {"message": message, "type": "rate_limit_error", "param": None, "code": "queue_full"}
    body = json.dumps({"error": error}).encode()
    head = (
        f"HTTP/1.1 {status} {REASONS[status]}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"Retry-After: {RETRY_AFTER}",
        "Connection: close",
    )
    return "\r\n".join((*head, "", "")).encode() + body


def _pump(source: BufferedIOBase, target: socket.socket) -> None:
    """Copies until either side is closed."""
    with suppress(OSError):
        while block := source.read1(BLOCK):
            target.sendall(block)


@contextmanager
def counting(behind: int) -> Generator[CountingFront]:
    """A front of the server on the port `behind` of this machine, until the block ends."""
    with CountingFront(behind) as front:
        thread = threading.Thread(target=front.serve_forever, daemon=True)
        thread.start()
        try:
            yield front
        finally:
            front.shutdown()
            thread.join()
