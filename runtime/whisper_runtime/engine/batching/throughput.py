"""The measured throughput: how many seconds of audio the model transcribes per second."""

from __future__ import annotations

import math
from typing import Final

INITIAL: Final = 1.0
"""The throughput before anything is measured."""
MEMORY_SECONDS: Final = 30.0
"""Work that is further back counts for less than 1/e."""
WINDOW_SECONDS: Final = 30.0
SHORTEST_CHUNK_SECONDS: Final = 20.0
"""A long file has no shorter windows but its last (see silence_split.py)."""


class Throughput:
    def __init__(self, initial: float = INITIAL) -> None:
        self._audio = self._busy = 0.0
        self.value = initial
        """Seconds of audio per second; above 0."""

    def add_audio(self, seconds: float) -> None:
        """Count `seconds` of audio as transcribed."""
        self._audio += seconds
        if self._audio > 0 and self._busy > 0:
            self.value = self._audio / self._busy

    def add_busy(self, seconds: float) -> None:
        """Count `seconds` of the model's time."""
        keep = max(0.0, 1 - seconds / MEMORY_SECONDS)
        self._audio, self._busy = self._audio * keep, self._busy * keep + seconds


class LongFileThroughput(Throughput):
    """The throughput that a long file would have: a short clip is encoded as a full window is, so it counts as one.

    Before anything is measured it is infinite, so that no file is refused on a guess.
    """

    def __init__(self) -> None:
        super().__init__(math.inf)

    def add_audio(self, seconds: float) -> None:
        super().add_audio(WINDOW_SECONDS if 0 < seconds < SHORTEST_CHUNK_SECONDS else seconds)


class ThroughputMeter:
    """The two throughputs that the engine reports, of the same work."""

    def __init__(self) -> None:
        self._all, self._long_file = Throughput(), LongFileThroughput()

    @property
    def speed(self) -> float:
        """Speed over all files (see Engine.speed)."""
        return self._all.value

    @property
    def long_speed(self) -> float:
        """Speed of a long file (see Engine.long_speed)."""
        return self._long_file.value

    def add_audio(self, seconds: float) -> None:
        self._all.add_audio(seconds)
        self._long_file.add_audio(seconds)

    def add_busy(self, seconds: float) -> None:
        self._all.add_busy(seconds)
        self._long_file.add_busy(seconds)

    def forget_long_files(self) -> None:
        """Measure the throughput of a long file anew."""
        self._long_file = LongFileThroughput()
