"""pvc://claim/path: a checkpoint on another claim, mounted beside the cache: a file, or a folder of Hugging Face's."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from whisper_runtime.contract.reports import DOWNLOAD_FAILED, NOT_A_CHECKPOINT
from whisper_runtime.engine.model.file_folder import NotLoadable
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.partial import BLOCK
from whisper_runtime.fetch.source import SourceBody
from whisper_runtime.fetch.source_folder import archive_blocks, archive_size, checkpoint_sha256, folder_files


class ClaimSource:
    def __init__(self, url: str, claim_dir: Path) -> None:
        """Takes `url`'s path within `claim_dir`; raises FetchError where it leads out of it."""
        self.name = url
        self._path = (claim_dir / unquote(urlsplit(url).path).lstrip("/")).resolve()
        if not self._path.is_relative_to(claim_dir.resolve()):
            raise FetchError(DOWNLOAD_FAILED, f"{url} leads out of its claim: write a path within it")

    def sha256(self) -> str:
        """Returns the digest in hex of the file, or of the folder's archive, for a configuration that gives none.

        Raises FetchError.
        """
        with self._telling_errors():
            return checkpoint_sha256(self._path)

    @contextmanager
    def open(self, offset: int, version: str | None) -> Generator[SourceBody, None, None]:
        if self._path.is_dir():
            yield self._archive(offset, version)
            return
        with self._telling_errors():
            file = self._path.open("rb")
        with file:
            size = self._path.stat().st_size
            start = offset if offset <= size else 0  # the local file is longer than the claim's
            file.seek(start)
            yield SourceBody(start, size, version, self._told(iter(partial(file.read, BLOCK), b"")))

    def _archive(self, offset: int, version: str | None) -> SourceBody:
        """The folder's files from `offset` of their archive on. Raises FetchError."""
        with self._telling_errors():
            files = folder_files(self._path)
            total = archive_size(files)
        start = offset if offset <= total else 0
        return SourceBody(start, total, version, self._told(archive_blocks(self.name, files, start)))

    def _told(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        with self._telling_errors():
            yield from blocks

    @contextmanager
    def _telling_errors(self) -> Generator[None, None, None]:
        """Raises FetchError in place of OSError, and of NotLoadable."""
        try:
            yield
        except NotLoadable as problem:
            raise FetchError(NOT_A_CHECKPOINT, f"{self.name} is not a checkpoint of a Whisper: {problem}") from None
        except OSError as error:
            why = error.strerror or type(error).__name__
            message = f"{self.name} cannot be read ({why}): is the path right, and readable?"
            raise FetchError(DOWNLOAD_FAILED, message) from None
