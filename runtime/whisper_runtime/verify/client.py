"""The server under examination, over the standard library's client: requests out, answers in, and how many it took."""

from __future__ import annotations

import json
import select
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

CHUNK: Final = bytes(64 * 1024)
LARGEST_ANSWER: Final = 64 * 1024**2
"""Bytes of an answer that are looked at."""

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    """Names in lower case."""
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def json(self) -> Any:
        """Raises ValueError where the body is none."""
        return json.loads(self.body)


class Server:
    """One address; may be used by several threads at once."""

    def __init__(self, url: str, key: str | None, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address: give one such as http://meetings.default.svc")
        self._connection_kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._address = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self._timeout = timeout
        self._counting = threading.Lock()
        self.key = key
        self.spent = 0

    def get(self, path: str, headers: Headers | None = None) -> Answer:
        return self.request("GET", path, self._authorization() | dict(headers or {}))

    def post(self, path: str, fields: Mapping[str, str], file: bytes) -> Answer:
        """Sends a form with `file` in it."""
        boundary = uuid.uuid4().hex
        headers = self._authorization() | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self.request("POST", path, headers, form(boundary, fields, file))

    def request(self, method: str, path: str, headers: Headers, body: bytes | None = None) -> Answer:
        """One request with exactly these headers; raises OSError or http.client.HTTPException."""
        connection, started = self._connection(self._timeout), time.perf_counter()
        try:
            connection.request(method, self._prefix + path, body, dict(headers))
            return _read(connection, started)
        finally:
            connection.close()

    def announce(self, path: str, length: int, *, seconds: float) -> Answer:
        """The answer, within `seconds`, to the headers of a body of `length` bytes that is never sent."""
        connection, started = self._connection(seconds), time.perf_counter()
        try:
            _begin(connection, self._prefix + path, self._authorization() | {"Content-Length": str(length)})
            return _read(connection, started)
        finally:
            connection.close()

    def pour(self, path: str, headers: Headers, *, seconds: float, limit: int) -> tuple[Answer | None, int]:
        """The answer that comes while a body without end is being sent, and the bytes sent until then.

        None: there was no answer within `seconds` and `limit` bytes.
        """
        connection, started, sent = self._connection(seconds), time.perf_counter(), 0
        try:
            _begin(connection, self._prefix + path, {**headers, "Transfer-Encoding": "chunked"})
            while sent < limit and time.perf_counter() - started < seconds:
                if select.select([connection.sock], [], [], 0)[0]:
                    return _read(connection, started), sent
                connection.send(b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK))
                sent += len(CHUNK)
        except TimeoutError:
            pass  # the server reads no more, and does not answer either
        finally:
            connection.close()
        return None, sent

    def _authorization(self) -> dict[str, str]:
        return {} if self.key is None else {"Authorization": f"Bearer {self.key}"}

    def _connection(self, timeout: float) -> HTTPConnection:
        with self._counting:
            self.spent += 1
        return self._connection_kind(*self._address, timeout=timeout)


def form(boundary: str, fields: Mapping[str, str], file: bytes) -> bytes:
    """The body of a form (multipart/form-data) with text fields and a file named `file`."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="clip.wav"\r\n\r\n'
    return "".join([*parts, head]).encode() + file + f"\r\n--{boundary}--\r\n".encode()


def _begin(connection: HTTPConnection, path: str, headers: Headers) -> None:
    """Sends a POST's headers alone."""
    connection.putrequest("POST", path)
    for name, value in {**headers, "Content-Type": "multipart/form-data; boundary=x"}.items():
        connection.putheader(name, value)
    connection.endheaders()


def _read(connection: HTTPConnection, started: float) -> Answer:
    response = connection.getresponse()
    body = response.read(LARGEST_ANSWER)
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, headers, body, time.perf_counter() - started)
