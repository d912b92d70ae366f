"""Work ends with its client."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from starlette.types import Message

from whisper_runtime.errors import ClientGone, HttpError
from whisper_runtime.http.hang_up import unless_gone


async def stays() -> Message:
    return await asyncio.get_running_loop().create_future()


async def leaves() -> Message:
    return {"type": "http.disconnect"}


async def test_the_work_of_a_client_that_stays_has_its_result() -> None:
    assert await unless_gone(stays, asyncio.sleep(0, "done")) == "done"


async def test_the_work_of_a_client_that_leaves_is_over_before_anything_else_happens() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append("work")

    with pytest.raises(ClientGone):
        await unless_gone(leaves, work())
    assert ended == ["work"]


async def test_what_the_work_raises_is_raised() -> None:
    async def work() -> None:
        raise HttpError(400, "a fault")

    with pytest.raises(HttpError, match="a fault"):
        await unless_gone(stays, work())


async def test_work_that_takes_no_notice_of_its_end_is_over_for_its_client_all_the_same() -> None:
    """As a library's that catches a cancellation; what the task does next is not cancelled."""

    async def work() -> str:
        with suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().create_future()
        return "done"

    with pytest.raises(ClientGone):
        await unless_gone(leaves, work())
    await asyncio.sleep(0)


async def test_who_ends_the_request_is_obeyed_though_the_client_leaves_as_well() -> None:
    request = asyncio.create_task(unless_gone(leaves, stays()))
    await asyncio.sleep(0)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request


async def test_a_client_that_leaves_when_its_work_is_done_ends_nothing_else() -> None:
    """It is seen to leave by the same turn of the loop that has the result."""
    gone = asyncio.Event()

    async def leaves_now() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def work() -> str:
        await asyncio.sleep(0)
        gone.set()
        return "done"

    assert await unless_gone(leaves_now, work()) == "done"
    for _ in range(3):
        await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()
