"""A work queue with client-go's semantics: each key at most once, and never in two hands at the same time."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable
from typing import Final

from whisper_operator import metrics
from whisper_operator.store import Key

FIRST_RETRY_SECONDS: Final = 0.05
LAST_RETRY_SECONDS: Final = 600.0


class Queue:
    def __init__(self) -> None:
        self._ready: dict[Key, float] = {}
        """Keys that wait, in order, with the time since which they do."""
        self._busy: dict[Key, float] = {}
        """Keys in work, with the time since which they are."""
        self._begun = False
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

    def add_all(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.add(key)

    def add_after(self, key: Key, seconds: float) -> None:
        """Adds `key` after `seconds`; of two such wishes the earlier one counts."""
        loop = asyncio.get_running_loop()
        pending = self._later.get(key)
        if pending is not None and pending.when() <= loop.time() + seconds:
            return
        if pending is not None:
            pending.cancel()
        self._later[key] = loop.call_later(seconds, self._due, key)

    def retry(self, key: Key, at_least: float = 0.0) -> None:
        """Adds `key` after a delay that doubles with each failure, jittered, and is not shorter than `at_least`."""
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        metrics.QUEUE_RETRIES.inc()
        delay = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 20))
        self.add_after(key, max(at_least, delay * random.uniform(0.5, 1.0)))

    def begin(self) -> None:
        """Workers are there from now on: what waits is to be taken."""
        self._begun = True
        now = time.monotonic()
        self._ready = dict.fromkeys(self._ready, now)
        metrics.UNFINISHED.set_function(lambda: sum(self._working_seconds()))
        metrics.STANDSTILL.set_function(self.standstill_seconds)
        metrics.LONGEST.set_function(lambda: max(self._working_seconds(), default=0.0))

    def standstill_seconds(self) -> float:
        """How long the key that waits or is in work longest has been so, once there are workers."""
        now = time.monotonic()
        waiting = [now - since for since in self._ready.values()] if self._begun else []
        return max([*waiting, *self._working_seconds()], default=0.0)

    def _working_seconds(self) -> list[float]:
        now = time.monotonic()
        return [now - since for since in self._busy.values()]

    def succeeded(self, key: Key) -> None:
        self._failures.pop(key, None)

    async def get(self) -> Key:
        """The key that waits longest; it is the caller's until `done`."""
        while not self._ready:
            self._wake.clear()
            await self._wake.wait()
        key, since = next(iter(self._ready.items()))
        del self._ready[key]
        self._busy[key] = time.monotonic()
        metrics.QUEUE_SECONDS.observe(time.monotonic() - since)
        metrics.QUEUE_DEPTH.set(len(self._ready))
        return key

    def done(self, key: Key) -> None:
        metrics.WORK_SECONDS.observe(time.monotonic() - self._busy.pop(key))
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _due(self, key: Key) -> None:
        del self._later[key]
        self.add(key)
