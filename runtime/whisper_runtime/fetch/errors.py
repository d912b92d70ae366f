"""The errors of a fetch: each message names cause and remedy, and holds no secret."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit


class FetchError(Exception):
    """The checkpoint was not obtained; `reason` is one of FetchReport's."""

    def __init__(self, reason: str, message: str, *, files: Mapping[str, int] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.files = dict(files or {})
        """Size in bytes of each checkpoint in a cache that is full; empty otherwise."""


class TransientFetchError(FetchError):
    """A failure that may pass by itself: the same request is worth another attempt."""

    def __init__(self, reason: str, message: str, *, retry_after_seconds: float = 0.0) -> None:
        super().__init__(reason, message)
        self.retry_after_seconds = retry_after_seconds
        """Wait that the server asks for."""


class UnauthorizedError(FetchError):
    """The server wants to know who asks."""

    def __init__(self, reason: str, message: str, *, challenge: str) -> None:
        super().__init__(reason, message)
        self.challenge = challenge
        """Its WWW-Authenticate: how it wants to be told."""


def redacted(url: str) -> str:
    """Returns `url` without the parts that may be secret: user, password, query."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
