"""Passes that come again because an answer to their own apply was not what they had applied, or was a conflict. No I/O.

Somebody else wrote between our read and our apply. The answer is the first to show it, so that no event of a watch
brings a pass, and no child is applied twice in one. A conflict is nobody's business once or twice; one that goes on and
on is told, or the service would be silent for ever.
"""

from __future__ import annotations

from typing import Final

from whisper_operator.observe.records import Key

REVISIT_SECONDS: Final = 20.0
"""Shorter than the time within which an edit that comes back counts as a controller's (answers.py)."""
MOST_REVISITS: Final = 3
"""In a row: what that many passes do not bring about, no further one does, and nothing is written for ever."""
MOST_CONFLICTS: Final = 10
"""In a row: the queue's pauses between them last for half a minute to a whole one."""


class Revisits:
    def __init__(self) -> None:
        self._in_a_row: dict[Key, int] = {}
        """Passes of each service that have ended so, one after the other."""
        self._conflicts: dict[Key, int] = {}
        """The same, of those that ended by a conflict."""

    def take_in(self, key: Key, *, is_settled: bool, is_conflict: bool = False) -> None:
        """Takes in whether a pass has left nothing to do that it could have done, or has met a conflict."""
        _count(self._in_a_row, key, goes_on=not is_settled)
        _count(self._conflicts, key, goes_on=is_conflict)

    def seconds(self, key: Key) -> float | None:
        """Seconds until the pass comes again; None: it need not."""
        return REVISIT_SECONDS if 0 < self._in_a_row.get(key, 0) <= MOST_REVISITS else None

    def is_conflict_to_tell(self, key: Key) -> bool:
        return self._conflicts.get(key, 0) >= MOST_CONFLICTS


def _count(counts: dict[Key, int], key: Key, *, goes_on: bool) -> None:
    if goes_on:
        counts[key] = counts.get(key, 0) + 1
    else:
        counts.pop(key, None)
