"""Passes that come again because an answer to their own apply was not what they had applied. No I/O.

Somebody else wrote between our read and our apply. The answer is the first to show it, so that no event of a watch
brings a pass, and no child is applied twice in one.
"""

from __future__ import annotations

from typing import Final

from whisper_operator.observe.records import Key

REVISIT_SECONDS: Final = 20.0
"""Shorter than the time within which an edit that comes back counts as a controller's (answers.py)."""
MOST_REVISITS: Final = 3
"""In a row: what that many passes do not bring about, no further one does, and nothing is written for ever."""


class Revisits:
    def __init__(self) -> None:
        self._in_a_row: dict[Key, int] = {}
        """Passes of each service that have ended so, one after the other."""

    def take_in(self, key: Key, *, is_settled: bool) -> None:
        """Takes in whether a pass has left nothing to do that it could have done."""
        if is_settled:
            self._in_a_row.pop(key, None)
        else:
            self._in_a_row[key] = self._in_a_row.get(key, 0) + 1

    def seconds(self, key: Key) -> float | None:
        """Seconds until the pass comes again; None: it need not."""
        return REVISIT_SECONDS if 0 < self._in_a_row.get(key, 0) <= MOST_REVISITS else None
