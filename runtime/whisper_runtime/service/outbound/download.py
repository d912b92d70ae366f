"""Fetches a file by its URL, block by block; each redirect is judged as the first URL is."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote

import httpx

from whisper_runtime.service.outbound.destination import parsed
from whisper_runtime.service.outbound.errors import OutboundError
from whisper_runtime.service.outbound.transport import failed

MAX_REDIRECTS: Final = 3
BLOCK_BYTES: Final = 256 * 1024
HEADERS: Final = {"Accept-Encoding": "identity", "Connection": "close", "User-Agent": "whisper-runtime"}
"""Of each request: no cookie, no credentials, no referrer."""
WEB_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})


@dataclass(frozen=True)
class Download:
    """A file on its way."""

    host: str
    """The server that gives it, after all redirects."""
    content_type: str
    """Empty where the server says none."""
    name: str
    """The last part of the URL's path; empty where it has none."""
    size: int | None
    """Bytes, as the server says; None: it does not."""
    blocks: AsyncIterator[bytes]
    """Raises OutboundError where the server breaks off or pauses for too long."""


@asynccontextmanager
async def download(transport: httpx.AsyncBaseTransport, url: str) -> AsyncGenerator[Download]:
    """The file at `url`, by a GuardedTransport; the connection is closed at the end of the block.

    Raises OutboundError: for a URL that is not one, for a server that may not be connected to, and for any other answer
    than a file.
    """
    response, found = await _followed(transport, parsed(url))
    try:
        kind = response.headers.get("Content-Type", "")
        _check(response, kind)
        host = found.raw_host.decode("ascii")
        yield Download(host, kind, _name(found), _size(response), _blocks(response, host))
    finally:
        await response.aclose()


async def _followed(transport: httpx.AsyncBaseTransport, url: httpx.URL) -> tuple[httpx.Response, httpx.URL]:
    """The first response that is no redirect, its body unread, and its URL."""
    response = await transport.handle_async_request(httpx.Request("GET", url, headers=HEADERS))
    for _ in range(MAX_REDIRECTS):
        if not response.has_redirect_location:
            return response, url
        await response.aclose()
        try:
            url = parsed(response.headers["Location"], base=url)
            response = await transport.handle_async_request(httpx.Request("GET", url, headers=HEADERS))
        except OutboundError as error:
            raise _of_redirect(error) from None
    if response.has_redirect_location:
        await response.aclose()
        raise OutboundError("NotReadable", f"is redirected more than {MAX_REDIRECTS} times")
    return response, url


def _of_redirect(error: OutboundError) -> OutboundError:
    """The same error, without the name of a server that the client did not name."""
    match error.reason:
        case "Invalid" | "NotAllowed":
            return OutboundError("NotAllowed", "is redirected to a place from which this server does not fetch")
        case reason:
            return OutboundError(reason, "is redirected to a server that does not give it")


def _check(response: httpx.Response, content_type: str) -> None:
    """Raises OutboundError where the response is not a file."""
    status = response.status_code
    if status == 429 or status >= 500:
        raise OutboundError("Failed", f"is on a server that answers {status}")
    if status != 200:
        raise OutboundError("NotReadable", f"is on a server that answers {status}")
    if content_type.partition(";")[0].strip().lower() in WEB_PAGES:
        raise OutboundError("NotReadable", "leads to a web page, and not to a recording")
    if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
        raise OutboundError("Failed", "is on a server that compresses what is asked for as it is")


def _name(url: httpx.URL) -> str:
    return PurePosixPath(unquote(url.path)).name


def _size(response: httpx.Response) -> int | None:
    found = response.headers.get("Content-Length", "")
    return int(found) if re.fullmatch("[0-9]{1,18}", found) else None


async def _blocks(response: httpx.Response, host: str) -> AsyncIterator[bytes]:
    try:
        async for block in response.aiter_raw(BLOCK_BYTES):
            yield block
    except httpx.TransportError as error:
        raise failed(error, host) from None
