"""The progress of a fetch: written by the one thread that downloads, read by any."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from whisper_runtime.contract.reports import FetchProgress

WINDOW_SECONDS: Final = 10.0
"""The speed is the mean over this long."""


class ProgressTracker:
    def __init__(self, model: str) -> None:
        self._model = model
        self._total: int | None = None
        self._problem: str | None = None
        self._seen: deque[tuple[float, int]] = deque(((time.monotonic(), 0),))

    def start(self, done: int, total: int | None) -> None:
        """Begins an attempt, with `done` of `total` bytes present already; None: the source does not tell."""
        self._total = total
        self._seen = deque(((time.monotonic(), done),))

    def advance(self, done: int) -> None:
        """Records that `done` bytes are present."""
        now = time.monotonic()
        self._problem = None
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW_SECONDS:
            self._seen.popleft()

    def report_problem(self, problem: str) -> None:
        """Records why an attempt failed; it is shown until the next byte comes."""
        self._problem = problem

    def snapshot(self) -> FetchProgress:
        (since, before), done = self._seen[0], self._seen[-1][1]
        seconds = time.monotonic() - since
        speed = int((done - before) / seconds) if done > before and seconds > 0 else None
        return FetchProgress(
            model=self._model, bytes=done, total=self._total, bytes_per_second=speed, problem=self._problem
        )
