"""When an event that did not arrive is sent again; pure."""

from __future__ import annotations

from typing import Final

WAITS: Final = (5.0, 30.0, 300.0, 1800.0, 7200.0, 18_000.0, 28_800.0, 28_800.0)
"""Seconds before each further attempt: a restart is waited for, then a night, a day in all."""
JITTER: Final = 0.2
"""The part of a wait that chance adds, so that the events of one outage do not all come back at once."""


def wait_after(attempt: int, chance: float) -> float | None:
    """Seconds from the failure of that attempt (1: the first) until the next; None: that was the last one.

    `chance` is from 0 to 1.
    """
    return WAITS[attempt - 1] * (1 + JITTER * chance) if attempt <= len(WAITS) else None
