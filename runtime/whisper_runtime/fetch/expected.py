"""What tells that a file is the wanted one: its sha256, or what its source lists for a commit or a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from whisper_runtime.fetch.partial import PartialFile, sha256_of


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


class PinnedSource(Protocol):
    """A source whose URL may tell the content: by a commit of the hub, or the digest of a registry's manifest."""

    @property
    def name(self) -> str: ...

    @property
    def pin(self) -> str | None:
        """The commit or digest; None: the URL names what may move."""
        ...

    def problem(self, file: Path) -> str | None:
        """What is wrong with a whole file, with the remedy; None: nothing. Raises OSError, and FetchError."""
        ...


class Pinned:
    def __init__(self, source: PinnedSource, pin: str, directory: Path, model: str) -> None:
        """What `source` has at `pin`; its sha256 shows when it is whole."""
        self._source, self._directory, self._model = source, directory, model
        self.place = directory / f"{model}-{pin}.pinned"

    def cached(self) -> str | None:
        files = self._directory.glob(f"{self._model}-{'[0-9a-f]' * 12}.pt")
        return next((sha256_of(file) for file in files if self.is_right(file)), None)

    def is_right(self, file: Path) -> bool:
        return self._source.problem(file) is None

    def problem(self, file: PartialFile) -> str | None:
        if file.size == 0:  # without asking the source, which the download does, and tries again
            return f"{self._source.name} is empty"
        file.save()
        return self._source.problem(file.path)
