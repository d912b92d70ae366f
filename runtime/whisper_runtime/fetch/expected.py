"""What tells that a file is the wanted one: its sha256, or what the hub says of the files of a commit."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from whisper_runtime.fetch.partial import PartialFile, sha256_of
from whisper_runtime.fetch.source_hub import HubSource


class Expected(Protocol):
    """Each method may raise FetchError, and OSError where the cache fails."""

    @property
    def place(self) -> Path:
        """Names the partial file and the lock of its download."""
        ...

    def cached(self) -> str | None:
        """The sha256 of the file, which the cache has already; None: it does not."""
        ...

    def is_right(self, file: Path) -> bool:
        """Whether these are its bytes."""
        ...

    def problem(self, file: PartialFile) -> str | None:
        """What is wrong with a download, with the remedy; None: nothing, and it is whole."""
        ...


class OfDigest:
    def __init__(self, source: str, digest: str, place: Path) -> None:
        """The file from `source` that has this sha256, and will be at `place`."""
        self._source, self._digest, self.place = source, digest, place

    def cached(self) -> str | None:
        return self._digest if self.place.is_file() and self.is_right(self.place) else None

    def is_right(self, file: Path) -> bool:
        return sha256_of(file) == self._digest

    def problem(self, file: PartialFile) -> str | None:
        if file.digest == self._digest:
            return None
        return (
            f"{self._source} has sha256 {file.digest}, but {self._digest} was expected: correct the digest or the URL"
        )


class AtCommit:
    def __init__(self, source: HubSource, directory: Path, model: str) -> None:
        """The archive of what the hub has at the commit that `source` names; its sha256 shows when it is whole."""
        self._source, self._directory, self._model = source, directory, model
        self.place = directory / f"{model}-{source.pinned_commit}.hf"

    def cached(self) -> str | None:
        files = self._directory.glob(f"{self._model}-{'[0-9a-f]' * 12}.pt")
        return next((sha256_of(file) for file in files if self.is_right(file)), None)

    def is_right(self, file: Path) -> bool:
        return self._source.problem(file) is None

    def problem(self, file: PartialFile) -> str | None:
        file.save()
        return self._source.problem(file.path)
