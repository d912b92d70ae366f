"""When an event that did not arrive is sent again; pure."""

from __future__ import annotations

from typing import Final

WAITS: Final = (5.0, 30.0, 300.0, 1800.0, 7200.0, 18_000.0, 28_800.0, 28_800.0)
"""Seconds before each further attempt: a restart is waited for, then a night, a day in all."""
LONGEST_WAIT: Final = WAITS[-1]
"""A receiver can ask for no longer one."""
JITTER: Final = 0.2
"""The part of a wait that chance adds, so that the events of one outage do not all come back at once."""


def wait_after(attempt: int, chance: float, retry_after: float | None = None) -> float | None:
    """Seconds from the failure of that attempt (1: the first) until the next; None: that was the last one.

    `chance` is from 0 to 1. `retry_after`: seconds for which the receiver wants to be left alone. It gets them, as far
    as it is LONGEST_WAIT; it is never sent to sooner for it, which would use up a day's attempts in a minute.
    """
    if attempt > len(WAITS):
        return None
    return max(WAITS[attempt - 1], min(retry_after or 0.0, LONGEST_WAIT)) * (1 + JITTER * chance)
