"""The measured throughput: how many seconds of audio the model transcribes per second, in all and in one row."""

from __future__ import annotations

import math
from typing import Final

INITIAL: Final = 1.0
"""The throughput before anything is measured."""
MEMORY_SECONDS: Final = 30.0
"""Work that is further back counts for less than 1/e."""
ROW_MEMORY_SECONDS: Final = 120.0
"""The same for one row's throughput, in seconds of rows: a batch of four has them in 30 s."""
WINDOW_SECONDS: Final = 30.0
SHORTEST_CHUNK_SECONDS: Final = 20.0
"""A long file has no shorter windows but its last (see silence_split.py)."""


class Throughput:
    def __init__(self, initial: float = INITIAL, memory_seconds: float = MEMORY_SECONDS) -> None:
        self._audio = self._busy = 0.0
        self._memory = memory_seconds
        self.value = initial
        """Seconds of audio per second; above 0."""

    def add_audio(self, seconds: float) -> None:
        """Count `seconds` of audio as transcribed."""
        self._audio += seconds
        if self._audio > 0 and self._busy > 0:
            self.value = self._audio / self._busy

    def add_busy(self, seconds: float) -> None:
        """Count `seconds` of the model's time, or of one row's."""
        keep = max(0.0, 1 - seconds / self._memory)
        self._audio, self._busy = self._audio * keep, self._busy * keep + seconds


class RowThroughput(Throughput):
    """The throughput that a long file has in one row: a short clip is encoded as a full window is, and counts as one.

    Before anything is measured it is infinite, so that no file is refused on a guess.
    """

    def __init__(self) -> None:
        super().__init__(math.inf, ROW_MEMORY_SECONDS)

    def add_window(self, seconds: float, seated: float) -> None:
        """Count a window of `seconds` of audio that had its row for `seated` seconds."""
        self.add_busy(seated)
        self.add_audio(WINDOW_SECONDS if 0 < seconds < SHORTEST_CHUNK_SECONDS else seconds)


class ThroughputMeter:
    """The two throughputs that the engine reports, of the same work."""

    def __init__(self) -> None:
        self._all, self._row = Throughput(), RowThroughput()

    @property
    def speed(self) -> float:
        """Speed of all rows together (see Engine.speed)."""
        return self._all.value

    @property
    def row_speed(self) -> float:
        """Speed of one row (see Engine.row_speed)."""
        return self._row.value

    def add_window(self, seconds: float, seated: float) -> None:
        """Count a window of `seconds` of audio as transcribed, in a row that it had for `seated` seconds."""
        self._all.add_audio(seconds)
        self._row.add_window(seconds, seated)

    def add_busy(self, seconds: float) -> None:
        """Count `seconds` of the model's time."""
        self._all.add_busy(seconds)

    def forget_rows(self) -> None:
        """Measure the throughput of a row anew."""
        self._row = RowThroughput()
