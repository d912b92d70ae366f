"""What the fake web servers have in common: a server in a thread, and requests that it answers."""

from __future__ import annotations

import http.server
import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class FakeRequest(http.server.BaseHTTPRequestHandler):
    """One request, which a subclass answers; it logs nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None: ...

    @property
    def named_headers(self) -> dict[str, str]:
        """The headers by lower-case name."""
        return {name.lower(): value for name, value in self.headers.items()}

    @property
    def offset(self) -> int:
        """The first byte that is asked for."""
        return int(found[1]) if (found := re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))) else 0

    def answer(self, status: int, content: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send(self, content: bytes, start: int, etag: str | None = None, *, end: int | None = None) -> None:
        """Sends `content` from `start` on, as a server that knows ranges, but only up to `end`."""
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        if etag:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[start:end])
        self.close_connection = True


class FakeWebServer(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    """By default 5 connections may wait to be accepted; the kernel drops others, and their clients try again later."""


@contextmanager
def answering(
    request: type[FakeRequest],
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    **attributes: Any,
) -> Iterator[str]:
    """The URL of a server that answers by `request`, which has these attributes, until the end of the block."""
    server = FakeWebServer((host, port), type("Handler", (request,), attributes))
    if tls:
        # Each connection's own thread makes the handshake: one that does not go on with it holds no other up.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
