"""A client of the server under verification: sends requests, returns responses, and counts the requests.

It uses the standard library's client throughout. Two of the four kinds of request have a body that never comes or never
ends, and httpx reads no response before it has sent the whole body: it would be a second client for the other two.
"""

from __future__ import annotations

import contextlib
import json
import select
import threading
import time
import uuid
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

CHUNK: Final = bytes(64 * 1024)
LARGEST_BODY: Final = 64 * 1024**2
"""Bytes of a response's body that are read."""
BUSY: Final = frozenset({429, 503})
PATIENCE_SECONDS: Final = 600.0
"""How long a client goes on waiting, as Retry-After says, for a server that is busy."""

Headers = Mapping[str, str]


@dataclass(frozen=True)
class HttpResponse:
    status: int
    headers: Headers
    """By lower-case name."""
    body: bytes
    seconds: float
    """From the start of the request to the end of the body."""

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def json(self) -> Any:
        """Raises ValueError where the body is not JSON."""
        return json.loads(self.body)


class NoResponse(Exception):
    """The server could not be reached, or did not answer in HTTP."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"no answer: {str(error) or type(error).__name__}")


class ServerBusy(Exception):
    """The server went on asking to be tried later."""


class ServiceClient:
    """A client of one address; several threads may use it at once. Every request raises NoResponse.

    A request that the server is too busy for, or that its limits refuse, is sent again as often and as late as the
    server's Retry-After says; it raises ServerBusy where that is later than `patience` seconds after the first request.
    Each request has a connection of its own, so that a Service spreads them over its pods.
    """

    def __init__(self, url: str, key: str | None, timeout: float, patience: float = PATIENCE_SECONDS) -> None:
        """`key` is sent as a bearer token, None: no key; `timeout` is in seconds. Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not a valid URL; for example http://meetings.default.svc")
        if key is not None and not (key.isascii() and key.isprintable()):
            raise ValueError("the API key must be printable ASCII characters on one line")
        self._connection_kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._address = parts.hostname, parts.port
        self._prefix = parts.path.rstrip("/")
        self._timeout, self._patience = timeout, patience
        self._began: float | None = None
        """When the first request was sent, by time.monotonic."""
        self._counting = threading.Lock()
        self.key = key
        self.request_count = 0

    def get(self, path: str) -> HttpResponse:
        return self.request("GET", path, self._authorization())

    def delete(self, path: str) -> HttpResponse:
        return self.request("DELETE", path, self._authorization())

    def post(self, path: str, fields: Mapping[str, str], file: bytes, further: Headers | None = None) -> HttpResponse:
        """Sends a form with text fields and a file named `file`; `further`: headers beside the form's own."""
        boundary = uuid.uuid4().hex
        headers = self._authorization() | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self.request("POST", path, {**headers, **(further or {})}, _form(boundary, fields, file))

    @property
    def patience_left(self) -> float:
        """Seconds for which a busy server is still waited for; below 0: too long already."""
        return (self._began or time.monotonic()) + self._patience - time.monotonic()

    def request(self, method: str, path: str, headers: Headers, body: bytes | None = None) -> HttpResponse:
        """Sends a request with exactly these headers."""

        def send() -> HttpResponse:
            with self._connection(self._timeout) as connection:
                started = time.perf_counter()
                connection.request(method, self._prefix + path, body, dict(headers))
                return _read(connection, started)

        return self._until_not_busy(send)

    def announce(self, path: str, length: int, *, seconds: float) -> HttpResponse:
        """Sends the headers of a body of `length` bytes that never follows; the response must come within `seconds`."""

        def send() -> HttpResponse:
            with self._connection(seconds) as connection:
                started = time.perf_counter()
                self._begin_post(connection, path, self._authorization() | {"Content-Length": str(length)})
                return _read(connection, started)

        return self._until_not_busy(send)

    def pour(self, path: str, headers: Headers, *, seconds: float, limit: int) -> tuple[HttpResponse | None, int]:
        """Sends a body without end; returns the response, and the bytes sent until it came.

        The response is None where none came within `seconds` and `limit` bytes.
        """
        with self._connection(seconds) as connection:
            started, sent = time.perf_counter(), 0
            with contextlib.suppress(TimeoutError):  # the server stopped reading, and does not answer either
                self._begin_post(connection, path, {**headers, "Transfer-Encoding": "chunked"})
                while sent < limit and time.perf_counter() - started < seconds:
                    if select.select([connection.sock], [], [], 0)[0]:
                        return _read(connection, started), sent
                    connection.send(b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK))
                    sent += len(CHUNK)
        return None, sent

    def _until_not_busy(self, send: Callable[[], HttpResponse]) -> HttpResponse:
        while (response := send()).status in BUSY and (wait := response.headers.get("retry-after", "")).isdigit():
            if int(wait) > self.patience_left:
                raise ServerBusy(f"the server has been busy for {self._patience:.0f} s: it answered {response.status}")
            time.sleep(int(wait))
        return response

    @contextlib.contextmanager
    def _connection(self, timeout: float) -> Generator[HTTPConnection, None, None]:
        with self._counting:
            self.request_count += 1
            self._began = self._began or time.monotonic()
        connection = self._connection_kind(*self._address, timeout=timeout)
        try:
            yield connection
        except (OSError, HTTPException) as error:
            raise NoResponse(error) from None
        finally:
            connection.close()

    def _begin_post(self, connection: HTTPConnection, path: str, headers: Headers) -> None:
        """Sends the headers alone."""
        connection.putrequest("POST", self._prefix + path)
        for name, value in {**headers, "Content-Type": "multipart/form-data; boundary=x"}.items():
            connection.putheader(name, value)
        connection.endheaders()

    def _authorization(self) -> dict[str, str]:
        return {} if self.key is None else {"Authorization": f"Bearer {self.key}"}


def _form(boundary: str, fields: Mapping[str, str], file: bytes) -> bytes:
    """Returns a body of multipart/form-data."""
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="clip.wav"\r\n\r\n'
    return "".join([*parts, head]).encode() + file + f"\r\n--{boundary}--\r\n".encode()


def _read(connection: HTTPConnection, started: float) -> HttpResponse:
    response = connection.getresponse()
    body = response.read(LARGEST_BODY)
    headers = {name.lower(): value for name, value in response.getheaders()}
    return HttpResponse(response.status, headers, body, time.perf_counter() - started)
