"""Where a checkpoint comes from: something that can be opened at an offset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Body:
    """What a source gives from `start` on."""

    start: int
    """Offset of the first byte: the one asked for, or 0 where the source cannot, or should not, go on there."""
    total: int | None
    """Bytes of the whole file; None where the source does not tell."""
    tag: str | None
    """What names this version of the file, to go on with this one and no other."""
    blocks: Iterator[bytes]


class Source(Protocol):
    @property
    def name(self) -> str:
        """The source as messages show it."""
        ...

    def open(self, offset: int, tag: str | None) -> AbstractContextManager[Body]:
        """The file from `offset` on where it is still the version `tag`, else from its start; raises FetchError."""
        ...
