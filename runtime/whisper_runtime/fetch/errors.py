"""What can go wrong with a fetch, in words that name the cause and the remedy and hold no secret."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit


class FetchError(Exception):
    """The checkpoint was not obtained; `reason` as in FetchReport."""

    def __init__(self, reason: str, message: str, *, files: Mapping[str, int] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.files = dict(files or {})
        """What fills the cache, where it is full."""


class Interrupted(FetchError):
    """What may pass by itself: the same request is worth another attempt."""

    def __init__(self, reason: str, message: str, *, after: float = 0.0) -> None:
        super().__init__(reason, message)
        self.after = after
        """Seconds that the server asks to wait."""


def shown(url: str) -> str:
    """`url` without what may be secret: user, password, query."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
