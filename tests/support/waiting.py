"""Bounded waits for a state that other processes bring about."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

POLL_SECONDS = 0.1


def eventually(what: str, holds: Callable[[], object], seconds: float = 60) -> float:
    """Seconds until `holds()` is true; raises AssertionError, which names `what`, when it is not within `seconds`."""
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        time.sleep(POLL_SECONDS)
    return time.monotonic() - started


async def eventually_async(what: str, holds: Callable[[], object], seconds: float = 60) -> None:
    """As `eventually`, with `holds` in a thread: the operator under test runs on this event loop."""
    started = time.monotonic()
    while not await asyncio.to_thread(holds):
        if time.monotonic() - started > seconds:
            raise AssertionError(f"not within {seconds:.0f} s: {what}")
        await asyncio.sleep(POLL_SECONDS)
