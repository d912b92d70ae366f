"""A bound on the files that are decoded at once; how many wait for it is decided at the door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

MOST_AT_ONCE: Final = 4
"""A decoder may take hundreds of MB."""


def decoders_beside(threads: int) -> int:
    """How many files are decoded at once, each by one thread, beside a model that computes in `threads`."""
    return max(1, min(MOST_AT_ONCE, threads - 1))


class DecodeSlots:
    """`at_once` files are decoded at once, and the others wait, in the order in which they came."""

    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)

    @asynccontextmanager
    async def take(self) -> AsyncGenerator[None, None]:
        """Waits for a slot and holds it during the block."""
        async with self._free:
            yield
