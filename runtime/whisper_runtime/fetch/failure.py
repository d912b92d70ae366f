"""What can go wrong with a fetch, in words that name the cause and the remedy and hold no secret."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from whisper_runtime.contract import CACHE_NOT_WRITABLE, NO_SPACE

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


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


def of_cache(directory: Path, error: OSError) -> FetchError:
    """What an error of the cache's file system means."""
    if error.errno in FULL:
        return FetchError(NO_SPACE, f"{directory} is full: raise spec.cache.size, or remove what nobody serves")
    return FetchError(
        CACHE_NOT_WRITABLE,
        f"{directory} cannot be written ({error.strerror or type(error).__name__}): is the volume there, writable, "
        "and its files of the pods' group?",
    )


def shown(url: str) -> str:
    """`url` without what may be secret: user, password, query."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
