"""A task that is cancelled ends once its work is over."""

from __future__ import annotations

import asyncio

import pytest

from whisper_runtime.service.settled import settled


@pytest.mark.parametrize("fails", [False, True])
async def test_a_cancelled_task_ends_after_its_work(fails: bool) -> None:
    begun, goes_on, done = asyncio.Event(), asyncio.Event(), list[str]()

    async def work() -> None:
        begun.set()
        await goes_on.wait()
        done.append("work")
        if fails:
            raise ValueError

    task = asyncio.create_task(settled(work()))
    task.add_done_callback(lambda _: done.append("task"))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert done == ["work", "task"]


async def test_the_result_and_the_error_are_the_works() -> None:
    async def work(number: int) -> float:
        return 1 / number

    assert await settled(work(2)) == 0.5
    with pytest.raises(ZeroDivisionError):
        await settled(work(0))
