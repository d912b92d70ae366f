"""The front counts, refuses as often as it is told, and changes nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from testbed.clients.front import CountingFront, counting

BODY = b"--x\r\n" + bytes(100_000)
FRAMINGS = pytest.mark.parametrize("chunked", [False, True], ids=["sized", "chunked"])


class Echo(BaseHTTPRequestHandler):
    """Answers with what it got."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = b""
        if size := int(self.headers.get("Content-Length", 0)):
            body = self.rfile.read(size)
        else:
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def front() -> Iterator[CountingFront]:
    with HTTPServer(("127.0.0.1", 0), Echo) as behind, counting(behind.server_port) as front:
        thread = threading.Thread(target=behind.serve_forever)
        thread.start()
        yield front
        behind.shutdown()
        thread.join()


def posted(front: CountingFront, chunked: bool) -> tuple[int, str | None, bytes]:
    connection = HTTPConnection("127.0.0.1", front.server_address[1], timeout=10)
    body = iter([BODY[:7], BODY[7:]]) if chunked else BODY
    connection.request("POST", "/v1", body, {}, encode_chunked=chunked)
    answer = connection.getresponse()
    found = answer.status, answer.headers["Retry-After"], answer.read()
    connection.close()
    return found


@FRAMINGS
def test_what_is_not_refused_passes_as_it_is(front: CountingFront, chunked: bool) -> None:
    assert posted(front, chunked) == (200, None, BODY)
    assert len(front.seen) == 1


@FRAMINGS
def test_as_many_are_refused_as_it_was_told(front: CountingFront, chunked: bool) -> None:
    front.refuse(503, times=2)
    assert [posted(front, chunked)[:2] for _ in range(3)] == [(503, "3"), (503, "3"), (200, None)]
    assert len(front.seen) == 3
    front.refuse(429, times=0)
    assert front.seen == []
