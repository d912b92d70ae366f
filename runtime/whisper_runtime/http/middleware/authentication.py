"""API keys, checked before the request's body is read."""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from whisper_runtime.errors import HttpError
from whisper_runtime.http.early_response import refuse
from whisper_runtime.http.middleware.base import HttpMiddleware
from whisper_runtime.http.request_state import state_of
from whisper_runtime.service.client_identity import MAX_CLIENTS, by_key

log = logging.getLogger(__name__)

REFRESH_SECONDS: Final = 1.0
MAX_KEY_BYTES: Final = 4096

FileSignatures = tuple[tuple[str, int, int, int], ...]
"""Name, inode, modification time in ns, and size of each file."""


class KeyRing:
    """The keys in a mounted Secret: each file is a client's name, its content that client's key.

    The directory is listed again at most once a second, so a rotated key works without a restart. Those are a few
    calls on a memory file system, and therefore not worth a thread.
    """

    def __init__(self, directory: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._clock = clock
        self._listed = -REFRESH_SECONDS
        self._signature: FileSignatures | None = None
        self._digests: Mapping[str, bytes] = {}

    def __len__(self) -> int:
        self._refresh()
        return len(self._digests)

    def client(self, key: bytes) -> str | None:
        """The name of the client with this key; None: no client has it. The time does not depend on which one it is."""
        self._refresh()
        presented = _digest(key)
        matches = [name for name, digest in self._digests.items() if hmac.compare_digest(presented, digest)]
        return matches[0] if matches else None

    def _refresh(self) -> None:
        now = self._clock()
        if now - self._listed < REFRESH_SECONDS:
            return
        self._listed = now
        signature = tuple(_signature(self._directory))
        if signature != self._signature:
            self._digests = dict(_read(self._directory, [name for name, *_ in signature]))
            self._signature = signature
            log.info("API keys of %d clients read from %s", len(self._digests), self._directory)


def _signature(directory: Path) -> Iterator[tuple[str, int, int, int]]:
    """Changes when a key does: Kubernetes swaps the link `..data`, so the files behind our links are new."""
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError as error:
        log.error("API keys cannot be read, every request is refused: %s", error)
        return
    for entry in entries[:MAX_CLIENTS]:
        if not entry.name.startswith(".") and entry.is_file():
            found = entry.stat()
            yield entry.name, found.st_ino, found.st_mtime_ns, found.st_size


def _read(directory: Path, names: list[str]) -> Iterator[tuple[str, bytes]]:
    for name in names:
        try:
            with (directory / name).open("rb") as file:
                key = file.read(MAX_KEY_BYTES + 1).strip()
        except OSError as error:
            log.error("the API key of client %r cannot be read: %s", name, error)
            continue
        if 0 < len(key) <= MAX_KEY_BYTES:
            yield name, _digest(key)
        else:
            log.error("the API key of client %r is not used: it must have 1 to %d bytes", name, MAX_KEY_BYTES)


def _digest(key: bytes) -> bytes:
    """A digest has the same length for all keys, so that a comparison reveals nothing about a key's."""
    return hashlib.sha256(key).digest()


class AuthenticationMiddleware(HttpMiddleware):
    """Passes on a request with a known key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`; the rest gets 401."""

    def __init__(self, app: ASGIApp, keys: KeyRing, open_paths: frozenset[str]) -> None:
        """`open_paths` need no key."""
        super().__init__(app)
        self.keys = keys
        self.open_paths = open_paths

    async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in self.open_paths:
            return await self.app(scope, receive, send)
        presented = presented_keys(Headers(scope=scope))
        known = [name for key in presented if (name := self.keys.client(key))]
        if known:
            state_of(scope).client = by_key(known[0])
            return await self.app(scope, receive, send)
        await refuse(_unauthorized(bool(presented)), scope, receive, send)


def presented_keys(headers: Headers) -> list[bytes]:
    """The keys of a request; HTTP carries header values as latin-1 (RFC 9110, section 5.5)."""
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    candidates = [headers.get("x-api-key", ""), bearer if scheme.lower() == "bearer" else ""]
    return [key.strip().encode("latin-1") for key in candidates if key.strip()]


def _unauthorized(presented: bool) -> HttpError:
    problem = "The API key is not known to this server." if presented else "The request has no API key."
    message = f"{problem} Send yours as `Authorization: Bearer KEY` or as `X-API-Key: KEY`."
    return HttpError(401, message, code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"})
