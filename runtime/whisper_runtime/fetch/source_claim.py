"""pvc://claim/path: a checkpoint on another claim, mounted beside the cache."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from whisper_runtime.contract.reports import DOWNLOAD_FAILED
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.partial import BLOCK, sha256_of
from whisper_runtime.fetch.source import SourceBody


class ClaimSource:
    def __init__(self, url: str, claim_dir: Path) -> None:
        """Takes `url`'s path within `claim_dir`; raises FetchError where it leads out of it."""
        self.name = url
        self._path = (claim_dir / unquote(urlsplit(url).path).lstrip("/")).resolve()
        if not self._path.is_relative_to(claim_dir.resolve()):
            raise FetchError(DOWNLOAD_FAILED, f"{url} leads out of its claim: write a path within it")

    def sha256(self) -> str:
        """Returns the file's digest in hex, for a configuration that gives none; raises FetchError."""
        try:
            return sha256_of(self._path)
        except OSError as error:
            raise self._unreadable(error) from None

    @contextmanager
    def open(self, offset: int, version: str | None) -> Generator[SourceBody, None, None]:
        try:
            file = self._path.open("rb")
        except OSError as error:
            raise self._unreadable(error) from None
        with file:
            size = self._path.stat().st_size
            start = offset if offset <= size else 0  # the local file is longer than the claim's
            file.seek(start)
            yield SourceBody(start, size, version, self._blocks(file))

    def _blocks(self, file: IO[bytes]) -> Iterator[bytes]:
        try:
            while block := file.read(BLOCK):
                yield block
        except OSError as error:
            raise self._unreadable(error) from None

    def _unreadable(self, error: OSError) -> FetchError:
        why = error.strerror or type(error).__name__
        return FetchError(DOWNLOAD_FAILED, f"{self.name} cannot be read ({why}): is the path right, and readable?")
