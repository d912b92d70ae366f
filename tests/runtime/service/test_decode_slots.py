"""So many files are decoded at once, and the others wait."""

from __future__ import annotations

import asyncio

import pytest

from whisper_runtime.service.decode_slots import DecodeSlots, decoders_beside


async def test_a_file_waits_until_another_has_been_decoded() -> None:
    slots, release, began = DecodeSlots(at_once=1), asyncio.Event(), asyncio.Semaphore(0)
    inside: list[str] = []

    async def decode(name: str) -> None:
        async with slots.take():
            inside.append(name)
            began.release()
            await release.wait()

    async with asyncio.TaskGroup() as group:
        for name in ("first", "second"):
            group.create_task(decode(name))
        await began.acquire()
        assert inside == ["first"]
        release.set()
    assert inside == ["first", "second"]


@pytest.mark.parametrize(("threads", "decoders"), [(1, 1), (2, 1), (3, 2), (5, 4), (64, 4)])
def test_decoders_leave_the_model_one_of_the_granted_processors(threads: int, decoders: int) -> None:
    assert decoders_beside(threads) == decoders
