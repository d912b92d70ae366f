"""Work that is not broken off where the task that wants it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def settled(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, or what it raises; a cancellation of this task goes on only once `work` is over.

    So whoever has cancelled the task, and has awaited its end, finds all that `work` does, or nothing of it.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
