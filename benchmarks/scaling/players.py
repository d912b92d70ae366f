"""Pods that transcribe nothing: each takes as long for a second of audio as it is told to; pure."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

SPEED: Final = 10.0
"""Seconds of audio that one pod transcribes in a second."""
ROWS: Final = 8
"""Recordings that a pod works on together; they share its speed evenly."""
RECORDING_SECONDS: Final = 30.0
POD_LOAD: Final = 0.7 * SPEED
"""Seconds of audio that come in a second, of what is called one pod's worth: as CPU's default target has it, a pod
that is busy for 70 % of the time."""


class PlayedWait(NamedTuple):
    came: float
    """When the recording came, in seconds since the beginning."""
    seconds: float
    """From then until a pod began with it."""


@dataclass(eq=False)
class PlayedPod:
    queue: deque[float]
    """When each recording came that waits for a row of it; pods behind a front have the same queue."""
    rows: list[float] = field(default_factory=list[float])
    """Seconds of audio that are left, of each recording that it works on."""
    busy: float = 0.0
    """Seconds in which it has worked."""

    @property
    def waiting_audio(self) -> float:
        return RECORDING_SECONDS * len(self.queue)

    def work(self, seconds: float, until: float) -> Iterator[PlayedWait]:
        """Works for that long, which ends at the time `until`; gives the wait of each recording that it begins."""
        left = seconds
        yield from self._begin(until - left)
        while left > 0 and self.rows:
            step = min(left, min(self.rows) * len(self.rows) / SPEED)
            done = step * SPEED / len(self.rows)
            self.rows = [row - done for row in self.rows if row - done > 1e-9]
            self.busy += step
            left -= step
            yield from self._begin(until - left)

    def _begin(self, now: float) -> Iterator[PlayedWait]:
        while self.queue and len(self.rows) < ROWS:
            came = self.queue.popleft()
            yield PlayedWait(came, max(0.0, now - came))
            self.rows.append(RECORDING_SECONDS)


@dataclass
class PlayedService:
    """The pods of one service. Behind a front they share its queue; else each has what it is given, at random."""

    has_front: bool
    random: random.Random
    pods: dict[str, PlayedPod] = field(default_factory=dict[str, PlayedPod])
    """Those that are ready, by name."""
    waits: list[PlayedWait] = field(default_factory=list[PlayedWait])
    """Of all recordings that have begun."""
    _front: deque[float] = field(default_factory=deque[float])
    _leaving: list[PlayedPod] = field(default_factory=list[PlayedPod])
    """Pods that take nothing more, and do what they have."""
    _now: float = 0.0

    @property
    def waiting_audio(self) -> float:
        queues = [self._front, *(pod.queue for pod in (*self.pods.values(), *self._leaving) if not self.has_front)]
        return RECORDING_SECONDS * sum(map(len, queues))

    @property
    def under_way(self) -> int:
        """Recordings that pods work on."""
        return sum(len(pod.rows) for pod in (*self.pods.values(), *self._leaving))

    def have(self, names: set[str]) -> None:
        """Makes the pods of those names, and no others, those that are ready."""
        for name in self.pods.keys() - names:
            leaving = self.pods.pop(name)
            self._leaving.append(PlayedPod(deque(), leaving.rows) if self.has_front else leaving)
        for name in sorted(names - self.pods.keys()):
            self.pods[name] = PlayedPod(self._front if self.has_front else deque())

    def advance(self, until: float, come: list[float]) -> None:
        """Takes what has come since the last time, and works until that time."""
        for at in come:
            queues = [] if self.has_front else [pod.queue for pod in self.pods.values()]
            (self.random.choice(queues) if queues else self._front).append(at)
        for pod in (*self.pods.values(), *self._leaving):
            self.waits += pod.work(until - self._now, until)
        self._leaving = [pod for pod in self._leaving if pod.rows or pod.queue]
        self._now = until


def arrivals(loads: list[tuple[float, float]], seed: int) -> list[float]:
    """Recordings at random times: for each of `loads` so many seconds, and how many pods' worth comes in them."""
    chance, found, began = random.Random(seed), list[float](), 0.0
    for seconds, pods in loads:
        at = began + chance.expovariate(pods * POD_LOAD / RECORDING_SECONDS)
        while at < began + seconds:
            found.append(at)
            at += chance.expovariate(pods * POD_LOAD / RECORDING_SECONDS)
        began += seconds
    return found
