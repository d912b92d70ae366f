"""Bounded waits for a state that other processes bring about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = (0.1, 1.0)
"""Between two looks: twice as long as a look takes, within these. kubectl takes 0.2 s of a processor, and tests that
look without a pause take the processors from what they wait for."""


def eventually(what: str, holds: Callable[[], object], seconds: float = 60) -> float:
    """Seconds until `holds()` is true; raises AssertionError, which names `what`, when it is not within `seconds`."""
    started = looked = time.monotonic()
    while not holds():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(_pause(looked))
        looked = time.monotonic()
    return time.monotonic() - started


def awaited(what: str, look: Callable[[], T | None], seconds: float = 60) -> T:
    """What `look()` gives as soon as it gives something, and that very thing: a second look may find it replaced.

    Raises AssertionError, which names `what`, when there is nothing within `seconds`.
    """
    found: list[T] = []

    def holds() -> bool:
        if thing := look():
            found.append(thing)
        return bool(found)

    eventually(what, holds, seconds)
    return found[0]


async def eventually_async(what: str, holds: Callable[[], object], seconds: float = 60) -> None:
    """As `eventually`, with `holds` in a thread: the operator under test runs on this event loop."""
    started = looked = time.monotonic()
    while not await asyncio.to_thread(holds):
        if time.monotonic() - started > seconds:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(_pause(looked))
        looked = time.monotonic()


def _pause(looked: float) -> float:
    """Seconds until the next look, where the last one began at `looked` and has just ended."""
    shortest, longest = POLL_SECONDS
    return min(max(shortest, 2 * (time.monotonic() - looked)), longest)
