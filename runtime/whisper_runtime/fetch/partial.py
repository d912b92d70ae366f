"""A download under way: what is there of it, and its digest so far."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Self

BLOCK: Final = 1 << 20


class Partial:
    """The file is named by the digest that the whole must have, so what another process left of it can be gone on
    with: a piece of something else shows at the end, and then the download starts again.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.size = 0
        self._file = file
        self._hash = hashlib.sha256()

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Generator[Self, None, None]:
        """The file with what is there already, hashed. Raises OSError, as every method may."""
        with path.open("a+b") as file:
            partial = cls(path, file)
            file.seek(0)
            while block := file.read(BLOCK):
                partial._count(block)
            yield partial

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def append(self, block: bytes) -> None:
        self._file.write(block)
        self._count(block)

    def restart(self) -> None:
        """Forgets everything."""
        self._file.truncate(0)
        self.size, self._hash = 0, hashlib.sha256()

    def save(self) -> None:
        """Everything is on the disk afterwards."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def _count(self, block: bytes) -> None:
        self._hash.update(block)
        self.size += len(block)


def sha256_of(path: Path) -> str:
    """Digest of a file in hex; raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
