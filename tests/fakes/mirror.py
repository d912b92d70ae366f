"""A fake web server with one file: misbehaves as a test says, and records its requests."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Responder = Callable[["MirrorRequest"], None]
"""Answers one request."""


@dataclass
class Mirror:
    content: bytes
    answers: list[Responder] = field(default_factory=list[Responder])
    """One for each request, in order; the last one goes for all that follow."""
    requests: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    """Headers of each request, by lower-case name, and its `path`."""
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)
    """Set when the server ends: a responder that stalls waits for it."""

    @property
    def ranges(self) -> list[str | None]:
        return [headers.get("range") for headers in self.requests]


class MirrorRequest(http.server.BaseHTTPRequestHandler):
    mirror: Mirror
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        mirror = self.mirror
        mirror.requests.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        respond = mirror.answers.pop(0) if len(mirror.answers) > 1 else mirror.answers[0]
        respond(self)

    def log_message(self, *_: Any) -> None: ...

    @property
    def offset(self) -> int:
        return int(found[1]) if (found := re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))) else 0

    def send(self, content: bytes, start: int, etag: str | None = '"v1"', *, end: int | None = None) -> None:
        """Sends `content` from `start` on, as a server that knows ranges, but only up to `end`."""
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if etag:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content[start:end])
        self.close_connection = True


def whole(request: MirrorRequest) -> None:
    """Answers as a server without faults."""
    if request.offset > len(request.mirror.content):
        refusing(416)(request)
    else:
        request.send(request.mirror.content, request.offset)


def cut(share: float) -> Responder:
    """Breaks off after that share of the file, wherever the request began."""
    return lambda request: request.send(
        request.mirror.content, request.offset, end=int(share * len(request.mirror.content))
    )


def stalling(share: float) -> Responder:
    def respond(request: MirrorRequest) -> None:
        request.send(request.mirror.content, request.offset, end=int(share * len(request.mirror.content)))
        request.wfile.flush()
        request.mirror.over.wait()

    return respond


def without_ranges(request: MirrorRequest) -> None:
    request.send(request.mirror.content, 0, None)


def other(content: bytes) -> Responder:
    return lambda request: request.send(content, 0, '"v2"')


def refusing(status: int, **headers: str) -> Responder:
    def respond(request: MirrorRequest) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return respond


def web_page(request: MirrorRequest) -> None:
    page = b"<!doctype html><title>Sign in</title>"
    request.send_response(200)
    request.send_header("Content-Type", "text/html; charset=utf-8")
    request.send_header("Content-Length", str(len(page)))
    request.end_headers()
    request.wfile.write(page)


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    """By default 5 connections may wait to be accepted; the kernel drops others, and their clients try again later."""


@contextmanager
def serving(mirror: Mirror, host: str = "127.0.0.1") -> Iterator[Mirror]:
    handler = type("Handler", (MirrorRequest,), {"mirror": mirror})
    server = _Server((host, 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    mirror.url = f"http://{host}:{server.server_port}/base.pt"
    try:
        yield mirror
    finally:
        mirror.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
