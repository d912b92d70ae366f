"""A work queue with client-go's semantics: each key waits at most once, and is never processed twice at the same time.

Keys of which something changed go before those that are merely reconciled with all the rest: after a restart with
thousands of services, a change does not wait for thousands of passes. So does controller-runtime's priority queue, but
for the share of turns that low priority keeps, without which changes could hold it up for ever
(https://github.com/kubernetes-sigs/controller-runtime/issues/3496).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from whisper_operator.observe.records import Key

FIRST_RETRY_SECONDS: Final = 0.05
LAST_RETRY_SECONDS: Final = 60.0
"""Whatever fails is tried again within two minutes, a pass of the longest kind included."""
LOW_PRIORITY_EVERY: Final = 4
"""One of so many turns is low priority's, as long as keys wait there."""


class QueueMetrics(Protocol):
    """Events of a queue, as client-go's MetricsProvider counts it."""

    def added(self) -> None: ...
    def retried(self) -> None: ...
    def got(self, waited_seconds: float) -> None: ...
    def done(self, processed_seconds: float) -> None: ...
    def depth(self, waiting: int) -> None: ...


class NoMetrics:
    def added(self) -> None: ...
    def retried(self) -> None: ...
    def got(self, waited_seconds: float) -> None: ...
    def done(self, processed_seconds: float) -> None: ...
    def depth(self, waiting: int) -> None: ...


class Queue:
    def __init__(self, metrics: QueueMetrics | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds, from any beginning."""
        self._metrics = metrics or NoMetrics()
        self._clock = clock
        self._high: dict[Key, float] = {}
        """Keys of which something changed, in order, with the time since which they wait."""
        self._low: dict[Key, float] = {}
        """Keys of low priority; none is in both lanes."""
        self._processing: dict[Key, float] = {}
        """Keys that workers have, with the time since which they have them."""
        self._dirty: set[Key] = set()
        """Keys that were added while they were processed."""
        self._delayed: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._not_empty = asyncio.Event()
        self._has_workers = False
        self._turns = 0
        self._moved = 0.0
        """When a key was last taken, or added to an empty queue."""

    def add(self, key: Key) -> None:
        self._metrics.added()
        if key in self._processing:
            self._dirty.add(key)
        elif key not in self._high:
            self._restart_stall_clock()
            self._high[key] = self._low.pop(key, self._clock())
        self._depth_changed()

    def add_all(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.add(key)

    def add_low_priority(self, keys: Iterable[Key]) -> None:
        """Adds keys behind those of which something changed."""
        for key in keys:
            self._metrics.added()
            if key in self._processing:
                self._dirty.add(key)
            elif key not in self._high:
                self._restart_stall_clock()
                self._low.setdefault(key, self._clock())
        self._depth_changed()

    def add_after(self, key: Key, seconds: float) -> None:
        """Adds `key` after `seconds`; of two such times the earlier one counts."""
        loop = asyncio.get_running_loop()
        pending = self._delayed.get(key)
        if pending is not None and pending.when() <= loop.time() + seconds:
            return
        if pending is not None:
            pending.cancel()
        self._delayed[key] = loop.call_later(seconds, self._add_delayed, key)

    def add_rate_limited(self, key: Key, at_least: float = 0.0) -> None:
        """Adds `key` after a delay that doubles with each failure until `forget`, jittered by half.

        `at_least`: seconds that the delay is not shorter than, as far as it may last at all.
        """
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        self._metrics.retried()
        delay = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(failures - 1, 20))
        self.add_after(key, min(LAST_RETRY_SECONDS, max(at_least, delay * random.uniform(0.5, 1.0))))

    def forget(self, key: Key) -> None:
        """Forgets the key's failures: it has been processed without one."""
        self._failures.pop(key, None)

    def start(self) -> None:
        """Workers are there from now on: from now on waiting counts."""
        self._has_workers = True
        self._moved = now = self._clock()
        self._high, self._low = dict.fromkeys(self._high, now), dict.fromkeys(self._low, now)

    async def get(self) -> Key:
        """The next key, of low priority in one turn of LOW_PRIORITY_EVERY; the caller's until `done`."""
        while not (self._high or self._low):
            self._not_empty.clear()
            await self._not_empty.wait()
        self._turns += 1
        self._moved = now = self._clock()
        is_lows_turn = self._low and self._turns % LOW_PRIORITY_EVERY == 0
        lane = self._high if self._high and not is_lows_turn else self._low
        key, since = next(iter(lane.items()))
        del lane[key]
        self._processing[key] = now
        self._metrics.got(now - since)
        self._depth_changed()
        return key

    def done(self, key: Key) -> None:
        """Gives a key back; one that was added meanwhile waits again."""
        self._metrics.done(self._clock() - self._processing.pop(key))
        if key in self._dirty:
            self._dirty.discard(key)
            self.add(key)

    def processing_seconds(self) -> list[float]:
        """How long each key that is being processed has been so."""
        now = self._clock()
        return [now - since for since in self._processing.values()]

    def standstill_seconds(self) -> float:
        """How long the key that waits or is processed longest has been so, once there are workers."""
        now = self._clock()
        lanes = (self._high, self._low) if self._has_workers else ()
        waiting = [now - since for lane in lanes for since in lane.values()]
        return max([*waiting, *self.processing_seconds()], default=0.0)

    def stuck_seconds(self) -> float:
        """How long no waiting key has been taken, or one has been processed: a long queue that moves is not stuck."""
        is_waiting = self._has_workers and (self._high or self._low)
        untaken = self._clock() - self._moved if is_waiting else 0.0
        return max([untaken, *self.processing_seconds()])

    def _restart_stall_clock(self) -> None:
        """Before a key is added: an empty queue was not stuck, however long nothing was taken from it."""
        if not (self._high or self._low):
            self._moved = self._clock()

    def _depth_changed(self) -> None:
        """Updates the depth gauge, and wakes a worker where a key waits."""
        waiting = len(self._high) + len(self._low)
        self._metrics.depth(waiting)
        if waiting:
            self._not_empty.set()

    def _add_delayed(self, key: Key) -> None:
        del self._delayed[key]
        self.add(key)
