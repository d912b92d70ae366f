"""An Observer that a test reads."""

from __future__ import annotations


class CountingObserver:
    def __init__(self) -> None:
        self.stages: list[str] = []
        """The stages that ended, in their order."""
        self.rows: list[int] = []
        """The rows of each decode step of the batch."""
        self.launches: list[bool] = []
        """For each decode step of the batch whether it was replayed."""
        self.fallbacks = self.silences = self.cancellations = self.splits = 0

    def stage(self, name: str, seconds: float) -> None:
        assert seconds >= 0
        self.stages.append(name)

    def batch(self, rows: int, capacity: int) -> None:
        assert 0 < rows <= capacity
        self.rows.append(rows)

    def launched(self, *, replayed: bool) -> None:
        self.launches.append(replayed)

    def fallback(self) -> None:
        self.fallbacks += 1

    def no_speech(self) -> None:
        self.silences += 1

    def cancelled(self) -> None:
        self.cancellations += 1

    def split(self) -> None:
        self.splits += 1
