"""The files of a folder as one file: an archive whose bytes, and so whose sha256, follow from its files alone.

It is what `tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=0644 --mtime=@0` writes: whoever
has the files can compute the digest. Nothing is compressed, so that weights are mapped from where they lie.
"""

from __future__ import annotations

import mmap
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BLOCK: Final = 512
RECORD: Final = 20 * BLOCK
"""GNU tar fills the last record with zeros."""
MAGIC_AT: Final = 257
MAGIC: Final = b"ustar"
LARGEST_FILE: Final = 8 * 1024**3 - 1
"""Bytes that ustar can write down (11 octal digits)."""
LONGEST_NAME: Final = 100


class NotLoadable(Exception):
    """A file is not a checkpoint; the message says why, and names the file, the key and the value in it."""


@dataclass(frozen=True)
class MappedFile:
    """One file of the folder, as pages of memory that are read on their first use."""

    name: str
    pages: mmap.mmap
    offset: int
    size: int

    def read(self, most: int) -> bytes:
        """The content; raises NotLoadable where it has more than `most` bytes."""
        if self.size > most:
            raise NotLoadable(f"{self.name} has {self.size} bytes, and at most {most} are read")
        return self.pages[self.offset : self.offset + self.size]


def header(name: str, size: int) -> bytes:
    """The block before a file's content. Raises ValueError for what no ustar header can say."""
    encoded = name.encode()
    if not 0 < len(encoded) <= LONGEST_NAME or size > LARGEST_FILE:
        raise ValueError(f"{name!r} of {size} bytes does not fit into an archive")
    fields = (
        (encoded, LONGEST_NAME),
        (b"0000644", 8),
        (b"0000000", 8),
        (b"0000000", 8),
        (b"%011o" % size, 12),
        (b"%011o" % 0, 12),
        (b" " * 8, 8),
        (b"0", 1),
        (b"", 100),
        (b"ustar\x0000", 8),
        (b"", 64),
        (b"0000000", 8),
        (b"0000000", 8),
        (b"", 167),
    )
    block = b"".join(value.ljust(width, b"\0") for value, width in fields)
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def padding(size: int) -> bytes:
    """The zeros after a file's content."""
    return bytes(-size % BLOCK)


def end(before: int) -> bytes:
    """The zeros after the last file, where `before` bytes stand before them."""
    return bytes(2 * BLOCK + -(before + 2 * BLOCK) % RECORD)


def is_archive(start: bytes) -> bool:
    """Whether a file that begins so is an archive, by any tar."""
    return start[MAGIC_AT : MAGIC_AT + len(MAGIC)] == MAGIC


def map_files(path: Path) -> Mapping[str, MappedFile]:
    """The files at the top of a folder, or of the archive of one, by name. Raises NotLoadable, and OSError."""
    if path.is_dir():
        return {file.name: _map(file.name, file) for file in sorted(path.iterdir()) if file.is_file()}
    try:
        with tarfile.open(path, "r:") as archive:
            members = [one for one in archive if one.isreg() and not one.issparse()]
    except tarfile.TarError as error:
        raise NotLoadable(f"the archive cannot be read: {error}") from None
    whole = _map(path.name, path)
    named = ((one.name.removeprefix("./"), one) for one in members)
    found = {name: MappedFile(name, whole.pages, one.offset_data, one.size) for name, one in named if "/" not in name}
    for file in found.values():
        if file.offset + file.size > whole.size:
            raise NotLoadable(f"{file.name} ends beyond the archive: it was cut")
    return found


def _map(name: str, path: Path) -> MappedFile:
    with path.open("rb") as file:
        size = path.stat().st_size
        if size == 0:
            raise NotLoadable(f"{name} is empty")
        return MappedFile(name, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY), 0, size)
