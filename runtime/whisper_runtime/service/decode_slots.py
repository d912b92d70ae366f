"""How many files are decoded at once, and how many more may wait for it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from whisper_runtime.http.early_response import try_later

AT_ONCE: Final = max(1, min(4, (os.cpu_count() or 1) - 1))
"""Each may take hundreds of MB, and the model needs processors too."""
WAITING: Final = 32


class Decoders:
    """So many files are decoded at once, so many more may wait for it, and the rest is refused (429)."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._room = at_once + waiting

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[None, None]:
        if self._room == 0:
            raise try_later("Too many uploads wait to be decoded: try again in a second.", "decoders_busy", 1, 1)
        self._room -= 1
        try:
            async with self._free:
                yield
        finally:
            self._room += 1
