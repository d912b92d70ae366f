"""A client that uploads too slowly, and reads an answer that comes before it has finished."""

from __future__ import annotations

import http.client
import select
import socket
import time
from urllib.parse import urlsplit

DECLARED = 10_000
PAUSE_SECONDS = 0.5


def upload(url: str, host: str, path: str, seconds: float = 120) -> tuple[int, bytes, float]:
    """Status and body of the answer, and the seconds that it took; raises TimeoutError after `seconds`."""
    target, started = urlsplit(url), time.monotonic()
    with socket.create_connection((target.hostname, target.port)) as connection:
        head = (
            f"POST {path} HTTP/1.1",
            f"Host: {host}",
            "Content-Type: multipart/form-data; boundary=x",
            f"Content-Length: {DECLARED}",
        )
        connection.sendall("\r\n".join((*head, "", "--x\r\n")).encode())
        while not select.select([connection], [], [], PAUSE_SECONDS)[0]:
            if time.monotonic() - started > seconds:
                raise TimeoutError(f"no answer within {seconds:.0f} s")
            connection.sendall(b"x")
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.read(), time.monotonic() - started
