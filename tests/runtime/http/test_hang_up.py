"""Work ends with its client."""

from __future__ import annotations

import asyncio

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
