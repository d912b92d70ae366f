"""A web server that misbehaves as it is told, and remembers what it was asked."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = Callable[["Asked"], None]
"""How one request is answered."""


@dataclass
class Mirror:
    content: bytes
    answers: list[Answer] = field(default_factory=list[Answer])
    """One for each request, in order; the last one goes for all that follow."""
    asked: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    """Headers of each request, by lower-case name, and its `path`."""
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)
    """Ends what stalls for ever."""

    @property
    def ranges(self) -> list[str | None]:
        return [headers.get("range") for headers in self.asked]


class Asked(http.server.BaseHTTPRequestHandler):
    mirror: Mirror
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        mirror = self.mirror
        mirror.asked.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
        answer = mirror.answers.pop(0) if len(mirror.answers) > 1 else mirror.answers[0]
        answer(self)

    def log_message(self, *_: Any) -> None: ...

    @property
    def offset(self) -> int:
        return int(found[1]) if (found := re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))) else 0

    def send(self, content: bytes, start: int, etag: str | None = '"v1"', *, end: int | None = None) -> None:
        """`content` from `start` on as a server that knows ranges, and no more of it than up to `end`."""
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


def whole(asked: Asked) -> None:
    asked.send(asked.mirror.content, asked.offset)


def cut(share: float) -> Answer:
    """Ends after that share of the file, wherever it began."""
    return lambda asked: asked.send(asked.mirror.content, asked.offset, end=int(share * len(asked.mirror.content)))


def stalling(share: float) -> Answer:
    def answer(asked: Asked) -> None:
        asked.send(asked.mirror.content, asked.offset, end=int(share * len(asked.mirror.content)))
        asked.wfile.flush()
        asked.mirror.over.wait()

    return answer


def without_ranges(asked: Asked) -> None:
    asked.send(asked.mirror.content, 0, None)


def other(content: bytes) -> Answer:
    return lambda asked: asked.send(content, 0, '"v2"')


def refusing(status: int, **headers: str) -> Answer:
    def answer(asked: Asked) -> None:
        asked.send_response(status)
        for name, value in headers.items():
            asked.send_header(name.replace("_", "-"), value)
        asked.send_header("Content-Length", "0")
        asked.end_headers()

    return answer


def web_page(asked: Asked) -> None:
    page = b"<!doctype html><title>Sign in</title>"
    asked.send_response(200)
    asked.send_header("Content-Type", "text/html; charset=utf-8")
    asked.send_header("Content-Length", str(len(page)))
    asked.end_headers()
    asked.wfile.write(page)


@contextmanager
def serving(mirror: Mirror, host: str = "127.0.0.1") -> Iterator[Mirror]:
    handler = type("Handler", (Asked,), {"mirror": mirror})
    server = http.server.ThreadingHTTPServer((host, 0), handler)
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
