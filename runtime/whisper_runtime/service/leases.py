"""Work that a process may do for as long as it has a lease of it, whatever the store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")


async def taken(claiming: Coroutine[Any, Any, T | None], hand_back: Callable[[T], Awaitable[None]]) -> T | None:
    """What was claimed; where this task is cancelled meanwhile it is handed back, for nobody else would know of it."""
    task = asyncio.ensure_future(claiming)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if (claimed := await task) is not None:
            await hand_back(claimed)
        raise


async def until_lost(work: Coroutine[Any, Any, T], renewing: Coroutine[Any, Any, NoReturn]) -> T:
    """The result of `work`, which is cancelled where `renewing` raises that the lease is lost; that is raised then."""
    working, renewal = asyncio.ensure_future(work), asyncio.ensure_future(renewing)
    try:
        await asyncio.wait({working, renewal}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else renewal.result()
    finally:
        for task in (working, renewal):
            task.cancel()
        await asyncio.gather(working, renewal, return_exceptions=True)
