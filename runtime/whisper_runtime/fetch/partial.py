"""A download under way: the bytes received so far, and their digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, Self

BLOCK: Final = 1 << 20
"""Bytes that are read and hashed together."""


class PartialFile:
    """A file named by the digest that the whole must have, so that any process can resume it. Leftovers of another file
    show in the digest at the end, and the download starts again. Every method may raise OSError.
    """

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.size = 0
        self._file = file
        self._hash = hashlib.sha256()

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Generator[Self, None, None]:
        """Opens the file, made where it is missing, and hashes its present content."""
        with path.open("a+b") as file:
            partial = cls(path, file)
            file.seek(0)
            while block := file.read(BLOCK):
                partial._count(block)
            yield partial

    @property
    def digest(self) -> str:
        """sha256 of the content, in hex."""
        return self._hash.hexdigest()

    def append(self, block: bytes) -> None:
        self._file.write(block)
        self._count(block)

    def restart(self) -> None:
        """Drops the content."""
        self._file.truncate(0)
        self.size, self._hash = 0, hashlib.sha256()

    def save(self) -> None:
        """Writes everything through to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def _count(self, block: bytes) -> None:
        self._hash.update(block)
        self.size += len(block)


def sha256_of(path: Path) -> str:
    """Returns the digest of a file in hex; raises OSError."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
