"""Who waits for an event goes on once it is set, or once the time is over."""

from __future__ import annotations

import asyncio

from whisper_runtime.service.timed_wait import set_within


async def test_an_event_is_waited_for_in_bounds() -> None:
    event = asyncio.Event()
    await set_within(event, 0.001)
    event.set()
    async with asyncio.timeout(60):
        await set_within(event, 1e6)
