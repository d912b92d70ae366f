"""The interface of a checkpoint's source: a file that can be opened at an offset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class SourceBody:
    """The bytes of a source from `start` on."""

    start: int
    """Offset of the first byte: the requested one, or 0 where the source cannot, or should not, resume there."""
    total: int | None
    """Bytes of the whole file; None where the source does not tell."""
    version: str | None
    """Identifies this version of the file (an If-Range validator), to resume this one and no other; None: unknown."""
    blocks: Iterator[bytes]
    """Ends early where the source breaks off; raises FetchError."""


class CheckpointSource(Protocol):
    @property
    def name(self) -> str:
        """The source as messages show it, without secrets."""
        ...

    def open(self, offset: int, version: str | None) -> AbstractContextManager[SourceBody]:
        """Opens the file at `offset` while it is still `version`, else at its start; raises FetchError."""
        ...


def whole(blocks: Iterator[bytes], most: int) -> bytes | None:
    """All of `blocks` in one; None where they have more than `most` bytes, of which no more are read."""
    read = bytearray()
    for block in blocks:
        read += block
        if len(read) > most:
            return None
    return bytes(read)


def cut(blocks: Iterator[bytes], skip: int, most: int) -> Iterator[bytes]:
    """`most` bytes after the first `skip`, which a server sends that knows no ranges; no more is read than it takes."""
    for block in blocks:
        kept = block[skip : skip + most]
        skip = max(0, skip - len(block))
        most -= len(kept)
        if kept:
            yield kept
        if most == 0:
            return
