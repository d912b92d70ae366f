"""A fake web server with one file: misbehaves as a test says, and records its requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.fakes.web_server import FakeRequest, answering

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


class MirrorRequest(FakeRequest):
    mirror: Mirror

    def do_GET(self) -> None:
        mirror = self.mirror
        mirror.requests.append({"path": self.path, **self.named_headers})
        respond = mirror.answers.pop(0) if len(mirror.answers) > 1 else mirror.answers[0]
        respond(self)

    def send(self, content: bytes, start: int, etag: str | None = '"v1"', *, end: int | None = None) -> None:
        super().send(content, start, etag, end=end)


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
    return lambda request: request.answer(status, b"", {name.replace("_", "-"): one for name, one in headers.items()})


def web_page(request: MirrorRequest) -> None:
    request.answer(200, b"<!doctype html><title>Sign in</title>", {"Content-Type": "text/html; charset=utf-8"})


@contextmanager
def serving(mirror: Mirror, host: str = "127.0.0.1") -> Iterator[Mirror]:
    with answering(MirrorRequest, host, mirror=mirror) as url:
        mirror.url = f"{url}/base.pt"
        try:
            yield mirror
        finally:
            mirror.over.set()
