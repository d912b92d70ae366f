"""Single requests over plain HTTP, each on a connection of its own."""

from __future__ import annotations

import ssl
from typing import Any, Final

import httpx

NO_AUTHORITIES: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Made once: for each request without a client httpx reads all of certifi's authorities, 0.1 s of a processor."""


def get(url: str, **options: Any) -> httpx.Response:
    """The answer; raises httpx.TransportError. `options`: as `httpx.get` takes them."""
    return httpx.get(url, verify=NO_AUTHORITIES, **options)


def post(url: str, **options: Any) -> httpx.Response:
    """The answer; raises httpx.TransportError. `options`: as `httpx.post` takes them."""
    return httpx.post(url, verify=NO_AUTHORITIES, **options)


def delete(url: str, **options: Any) -> httpx.Response:
    """The answer; raises httpx.TransportError. `options`: as `httpx.delete` takes them."""
    return httpx.delete(url, verify=NO_AUTHORITIES, **options)
