"""Which pod runs the model for a result, where several are asked for the same at the same time (ADR 56)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from whisper_runtime.service.result_cache.cache import FindResult
from whisper_runtime.service.result_cache.content import Hit
from whisper_runtime.service.shared.program_call import ProgramCall, service_key
from whisper_runtime.service.shared.shared_store import SharedStore

PROGRAM: Final = Path(__file__).with_name("flight.lua").read_text()
LEASE_SECONDS: Final = 10.0
"""A pod that does not renew its lease for so long has ended: another one runs the model."""
RENEWALS: Final = 3
"""In the time of a lease: two that fail lose nothing."""
LOOKS_SECONDS: Final = (0.05, 0.1, 0.2, 0.5)
"""Before each look for another pod's result; the last one again and again."""


def turn_call(prefix: str, key: str, run: str, seconds: float) -> ProgramCall:
    """The call that takes the turn for a run, or renews it, for so many seconds; 0: that lets go of it."""
    return ProgramCall(PROGRAM, (service_key(prefix, f"flight:{key}"),), (run, repr(seconds)))


class SharedFlights:
    """See result_cache.cache.PodTurns. Use it in the event loop's thread."""

    def __init__(self, store: SharedStore, prefix: str, *, lease_seconds: float = LEASE_SECONDS) -> None:
        self._store, self._prefix, self._lease_seconds = store, prefix, lease_seconds

    @asynccontextmanager
    async def turn(self, key: str, find: FindResult) -> AsyncGenerator[Hit | None]:
        run = secrets.token_hex(8)
        try:
            found = await self._wait(key, run, find)
            async with self._renewed(key, run):
                yield found
        finally:
            await asyncio.shield(self._take(key, run, 0.0))

    async def _wait(self, key: str, run: str, find: FindResult) -> Hit | None:
        """Returns once it is this run's turn (None), or there is a result."""
        looks = 0
        while not await self._take(key, run, self._lease_seconds):
            await asyncio.sleep(LOOKS_SECONDS[min(looks, len(LOOKS_SECONDS) - 1)])
            looks += 1
            if found := await find():
                return found
        return await find()  # it may have come since the caller's own look

    @asynccontextmanager
    async def _renewed(self, key: str, run: str) -> AsyncGenerator[None]:
        """Keeps the turn until the block ends."""
        renewing = asyncio.create_task(self._renew(key, run), name="renew a turn")
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})

    async def _renew(self, key: str, run: str) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / RENEWALS)
            await self._take(key, run, self._lease_seconds)

    async def _take(self, key: str, run: str, seconds: float) -> bool:
        """Whether it is this run's turn: it is where the store is away, too."""
        reply = await self._store.call(turn_call(self._prefix, key, run, seconds))
        return reply is None or bool(reply[0])
