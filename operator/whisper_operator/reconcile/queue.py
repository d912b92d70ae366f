"""A work queue with client-go's semantics: each key at most once, and never in two hands at the same time.

What changed goes before what is merely passed over with all the rest: after a restart with thousands of services, a
change does not wait for thousands of passes. So does controller-runtime's priority queue, but for the share of turns
that the rest keeps, without which changes could hold it up for ever
(https://github.com/kubernetes-sigs/controller-runtime/issues/3496).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable
from typing import Final

from whisper_operator.observe.cache import Key
from whisper_operator.telemetry import metrics

FIRST_RETRY_SECONDS: Final = 0.05
LAST_RETRY_SECONDS: Final = 600.0
SWEPT_EVERY: Final = 4
"""One of so many turns is kept for the keys that are swept, as long as there are any."""


class Queue:
    def __init__(self) -> None:
        self._changed: dict[Key, float] = {}
        """Keys of which something changed, in order, with the time since which they wait."""
        self._swept: dict[Key, float] = {}
        """Keys that wait behind those; none is in both."""
        self._busy: dict[Key, float] = {}
        """Keys in work, with the time since which they are."""
        self._begun = False
        self._turns = 0
        self._turned = 0.0
        """When a key was last taken, or came to an empty queue."""
        self._again: set[Key] = set()
        """Keys that were added while in work."""
        self._later: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._wake = asyncio.Event()

    def add(self, key: Key) -> None:
        metrics.QUEUE_ADDS.inc()
        if key in self._busy:
            self._again.add(key)
        elif key not in self._changed:
            self._come()
            self._changed[key] = self._swept.pop(key, time.monotonic())
        self._tell()

    def add_all(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.add(key)

    def sweep(self, keys: Iterable[Key]) -> None:
        """Adds every key of a list, whether anything of it changed or not."""
        for key in keys:
            metrics.QUEUE_ADDS.inc()
            if key in self._busy:
                self._again.add(key)
            elif key not in self._changed:
                self._come()
                self._swept.setdefault(key, time.monotonic())
        self._tell()

    def _come(self) -> None:
        """Before a key is put to those that wait."""
        if not (self._changed or self._swept):
            self._turned = time.monotonic()

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
        self._turned = now = time.monotonic()
        self._changed, self._swept = dict.fromkeys(self._changed, now), dict.fromkeys(self._swept, now)
        metrics.UNFINISHED.set_function(lambda: sum(self._working_seconds()))
        metrics.STANDSTILL.set_function(self.standstill_seconds)
        metrics.LONGEST.set_function(lambda: max(self._working_seconds(), default=0.0))

    def standstill_seconds(self) -> float:
        """How long the key that waits or is in work longest has been so, once there are workers."""
        now = time.monotonic()
        lanes = (self._changed, self._swept) if self._begun else ()
        waiting = [now - since for lane in lanes for since in lane.values()]
        return max([*waiting, *self._working_seconds()], default=0.0)

    def stuck_seconds(self) -> float:
        """How long no waiting key has been taken, or one has been in work: a long queue that moves is not stuck."""
        is_waiting = self._begun and (self._changed or self._swept)
        untaken = time.monotonic() - self._turned if is_waiting else 0.0
        return max([untaken, *self._working_seconds()])

    def _working_seconds(self) -> list[float]:
        now = time.monotonic()
        return [now - since for since in self._busy.values()]

    def succeeded(self, key: Key) -> None:
        self._failures.pop(key, None)

    async def get(self) -> Key:
        """Mostly the key that changed first, now and then the one that was swept first; the caller's until `done`."""
        while not (self._changed or self._swept):
            self._wake.clear()
            await self._wake.wait()
        self._turns += 1
        self._turned = time.monotonic()
        is_kept = self._swept and self._turns % SWEPT_EVERY == 0
        lane = self._changed if self._changed and not is_kept else self._swept
        key, since = next(iter(lane.items()))
        del lane[key]
        self._busy[key] = time.monotonic()
        metrics.QUEUE_SECONDS.observe(time.monotonic() - since)
        self._tell()
        return key

    def done(self, key: Key) -> None:
        metrics.WORK_SECONDS.observe(time.monotonic() - self._busy.pop(key))
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def _tell(self) -> None:
        """Prometheus how many keys wait, and workers that some do."""
        waiting = len(self._changed) + len(self._swept)
        metrics.QUEUE_DEPTH.set(waiting)
        if waiting:
            self._wake.set()

    def _due(self, key: Key) -> None:
        del self._later[key]
        self.add(key)
