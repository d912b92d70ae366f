"""A work queue with client-go's semantics: each key at most once, and never in two hands at the same time."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Final

from whisper_operator import metrics
from whisper_operator.store import Key

FIRST_RETRY_SECONDS: Final = 0.05
LAST_RETRY_SECONDS: Final = 600.0


class Queue:
    def __init__(self) -> None:
        self._ready: dict[Key, float] = {}
        """Keys that wait, in order, with the time since which they do."""
        self._busy: set[Key] = set()
        self._again: set[Key] = set()
        """Keys that were added while in work."""
        self._later: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._wake = asyncio.Event()

    def add(self, key: Key) -> None:
        metrics.QUEUE_ADDS.inc()
        if key in self._busy:
            self._again.add(key)
        elif key not in self._ready:
            self._ready[key] = time.monotonic()
            self._wake.set()
        metrics.QUEUE_DEPTH.set(len(self._ready))

    def add_after(self, key: Key, seconds: float) -> None:
        """Adds `key` after `seconds`; of two such wishes the earlier one counts."""
        loop = asyncio.get_running_loop()
        pending = self._later.get(key)
        if pending is not None and pending.when() <= loop.time() + seconds:
            return
        if pending is not None:
            pending.cancel()
        self._later[key] = loop.call_later(seconds, self._due, key)

    def retry(self, key: Key) -> None:
        """Adds `key` after a delay that doubles with each failure, jittered."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        metrics.QUEUE_RETRIES.inc()
        delay = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 20))
        self.add_after(key, delay * random.uniform(0.5, 1.0))

    def succeeded(self, key: Key) -> None:
        self._failures.pop(key, None)

    async def get(self) -> Key:
        """The key that waits longest; it is the caller's until `done`."""
        while not self._ready:
            self._wake.clear()
            await self._wake.wait()
        key, since = next(iter(self._ready.items()))
        del self._ready[key]
        self._busy.add(key)
        metrics.QUEUE_SECONDS.observe(time.monotonic() - since)
        metrics.QUEUE_DEPTH.set(len(self._ready))
        return key

    def done(self, key: Key) -> None:
        self._busy.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _due(self, key: Key) -> None:
        del self._later[key]
        self.add(key)
