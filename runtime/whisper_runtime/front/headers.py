"""The headers that pass from a client to a server, and back; pure (RFC 9110, section 7.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

RawHeaders = list[tuple[bytes, bytes]]
"""Names in small letters, as ASGI has them."""

OF_THE_CONNECTION: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
OF_THE_FRONT: Final = frozenset({b"content-length", b"expect", b"origin"})
"""The front itself has read the body, has told the client to send it, and has answered for CORS."""
HOST: Final = b"host"
"""HTTP/1.0 needs none; empty where it is not known (RFC 9112, section 3.2)."""
OF_THE_SERVER: Final = frozenset({b"date", b"server"})
"""The front's own HTTP server writes them."""


def request_headers(headers: Iterable[tuple[bytes, bytes]], own: Mapping[bytes, bytes]) -> RawHeaders:
    """Those of a client that a server gets, with the front's `own` in the place of any of the same name.

    There is a Host among them, whatever the client leaves out: without one no request can be sent.
    """
    found = list(headers)
    left_out = OF_THE_CONNECTION | OF_THE_FRONT | (_named_by_connection(found) - {HOST}) | own.keys()
    passed = [(name, value) for name, value in found if name not in left_out]
    hosts = [] if any(name == HOST for name, _ in passed) else [(HOST, b"")]
    return [*hosts, *passed, *own.items()]


def answer_headers(headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    """Those of a server's answer that the client gets."""
    found = [(name.lower(), value) for name, value in headers]
    left_out = OF_THE_CONNECTION | OF_THE_SERVER | _named_by_connection(found)
    return [(name, value) for name, value in found if name not in left_out]


def _named_by_connection(headers: RawHeaders) -> frozenset[bytes]:
    listed = b",".join(value for name, value in headers if name == b"connection")
    return frozenset(name.strip().lower() for name in listed.split(b","))
