"""How much audio the model gets through in a second, as of late."""

from __future__ import annotations

import math
from typing import Final

FIRST: Final = 1.0
"""Before anything is measured."""
MEMORY_SECONDS: Final = 30.0
"""Work that is further back counts for less than 1/e."""
WINDOW_SECONDS: Final = 30.0
SHORTEST_PIECE_SECONDS: Final = 20.0
"""A long file has no shorter windows but its last (see quiet.py)."""


class Speed:
    def __init__(self, first: float = FIRST) -> None:
        self._audio = self._busy = 0.0
        self.value = first

    def heard(self, seconds: float) -> None:
        """So much audio is done with."""
        self._audio += seconds
        if self._audio > 0 and self._busy > 0:
            self.value = self._audio / self._busy

    def worked(self, seconds: float) -> None:
        """The model was at work for so long."""
        keep = max(0.0, 1 - seconds / MEMORY_SECONDS)
        self._audio, self._busy = self._audio * keep, self._busy * keep + seconds


class LongSpeed(Speed):
    """What a long file would see: a short clip is encoded as a full window is, and says little of full ones.

    Before anything is measured it is infinite, so that no file is refused on a guess.
    """

    def __init__(self) -> None:
        super().__init__(math.inf)

    def heard(self, seconds: float) -> None:
        super().heard(WINDOW_SECONDS if 0 < seconds < SHORTEST_PIECE_SECONDS else seconds)
