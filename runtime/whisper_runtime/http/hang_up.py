"""Work that ends as soon as its client hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from starlette.types import Receive

from whisper_runtime.errors import ClientGone

T = TypeVar("T")


async def unless_gone(receive: Receive, work: Coroutine[None, None, T]) -> T:
    """The result of `work`; cancels it and raises ClientGone as soon as the client has hung up.

    The work is done in the caller's own task, as by asyncio.timeout: one of its own would cost every request as much
    as the watch does.
    """
    caller = asyncio.current_task()
    assert caller is not None
    before, is_gone, is_over = caller.cancelling(), False, False

    def end_work(watched: asyncio.Task[None]) -> None:
        nonlocal is_gone
        if not (is_over or watched.cancelled()):
            watched.exception()  # whatever ended it, nothing more comes of this client
            is_gone = True
            caller.cancel()

    watch = asyncio.create_task(_hung_up(receive))
    watch.add_done_callback(end_work)
    try:
        return await work
    finally:
        is_over = True
        watch.cancel()
        if is_gone and caller.uncancel() <= before:
            raise ClientGone  # whatever the work came to: it was broken off


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
