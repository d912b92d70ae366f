"""How much audio the model gets through in a second, as of late."""

from __future__ import annotations

from typing import Final

FIRST: Final = 1.0
"""Before anything is measured."""
MEMORY_SECONDS: Final = 30.0
"""Work that is further back counts for less than 1/e."""


class Speed:
    def __init__(self) -> None:
        self._audio = self._busy = 0.0
        self.value = FIRST

    def heard(self, seconds: float) -> None:
        """So much audio is done with."""
        self._audio += seconds
        if self._audio > 0 and self._busy > 0:
            self.value = self._audio / self._busy

    def worked(self, seconds: float) -> None:
        """The model was at work for so long."""
        keep = max(0.0, 1 - seconds / MEMORY_SECONDS)
        self._audio, self._busy = self._audio * keep, self._busy * keep + seconds
