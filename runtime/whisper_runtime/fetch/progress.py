"""How far a fetch is: written by the one thread that downloads, read by whoever asks."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from whisper_runtime.contract.reports import FetchProgress

WINDOW_SECONDS: Final = 10.0
"""The speed is the mean over this long."""


class Progress:
    def __init__(self, model: str) -> None:
        self._model = model
        self._total: int | None = None
        self._problem: str | None = None
        self._seen: deque[tuple[float, int]] = deque(((time.monotonic(), 0),))

    def begins(self, done: int, total: int | None) -> None:
        """A source answers, with `done` bytes there already."""
        self._total = total
        self._seen = deque(((time.monotonic(), done),))

    def moves(self, done: int) -> None:
        now = time.monotonic()
        self._problem = None
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW_SECONDS:
            self._seen.popleft()

    def fails(self, problem: str) -> None:
        """An attempt has failed, and another will be made."""
        self._problem = problem

    @property
    def now(self) -> FetchProgress:
        (since, before), done = self._seen[0], self._seen[-1][1]
        seconds = time.monotonic() - since
        speed = int((done - before) / seconds) if done > before and seconds > 0 else None
        return FetchProgress(
            model=self._model, bytes=done, total=self._total, bytes_per_second=speed, problem=self._problem
        )
