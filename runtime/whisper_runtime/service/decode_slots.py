"""A bound on the files that are decoded at once, and on those that wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from whisper_runtime.errors import too_many_requests

MOST_AT_ONCE: Final = 4
"""A decoder may take hundreds of MB."""
WAITING: Final = 32


def decoders_beside(threads: int) -> int:
    """How many files are decoded at once, each by one thread, beside a model that computes in `threads`."""
    return max(1, min(MOST_AT_ONCE, threads - 1))


class DecodeSlots:
    """`at_once` files are decoded at once, `waiting` more may wait for a slot, and the rest is refused."""

    def __init__(self, at_once: int, waiting: int = WAITING) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._room = at_once + waiting

    @asynccontextmanager
    async def take(self) -> AsyncGenerator[None, None]:
        """Waits for a slot and holds it during the block; raises HttpError (429) where too many wait already."""
        if self._room == 0:
            raise too_many_requests("Too many uploads wait to be decoded: try again in a second.", "decoders_busy", 1)
        self._room -= 1
        try:
            async with self._free:
                yield
        finally:
            self._room += 1
