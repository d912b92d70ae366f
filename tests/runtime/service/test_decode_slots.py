"""So many files are decoded at once, so many may wait for it, and no more."""

from __future__ import annotations

import asyncio

import pytest

from whisper_runtime.errors import HttpError
from whisper_runtime.service.decode_slots import DecodeSlots, decoders_beside


async def test_so_many_uploads_may_wait_for_a_slot_and_no_more() -> None:
    slots, release, inside = DecodeSlots(at_once=1, waiting=1), asyncio.Event(), asyncio.Event()

    async def decode() -> None:
        async with slots.take():
            inside.set()
            await release.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(decode())
        group.create_task(decode())  # starts, and waits, before this test goes on
        await inside.wait()
        with pytest.raises(HttpError) as error:
            await decode()
        assert (error.value.status_code, error.value.body["code"]) == (429, "decoders_busy")
        assert error.value.headers == {"Retry-After": "1"}
        release.set()
    await decode()


@pytest.mark.parametrize(("threads", "decoders"), [(1, 1), (2, 1), (3, 2), (5, 4), (64, 4)])
def test_decoders_leave_the_model_one_of_the_granted_processors(threads: int, decoders: int) -> None:
    assert decoders_beside(threads) == decoders
