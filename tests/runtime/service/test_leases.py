"""A claim is never lost with the task that made it, and work ends with its lease."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import pytest

from whisper_runtime.service.leases import taken, until_lost


class LeaseGone(Exception):
    pass


async def endless() -> NoReturn:
    await asyncio.Event().wait()
    raise AssertionError


async def gone() -> NoReturn:
    raise LeaseGone


@pytest.mark.parametrize(("found", "handed_back"), [("job", ["job"]), (None, [])])
async def test_what_is_claimed_while_the_task_is_cancelled_is_handed_back(
    found: str | None, handed_back: list[str]
) -> None:
    asked, answer, back = asyncio.Event(), asyncio.Event(), list[str]()

    async def claim() -> str | None:
        asked.set()
        await answer.wait()
        return found

    async def hand_back(claimed: str) -> None:
        back.append(claimed)

    task = asyncio.create_task(taken(claim(), hand_back))
    await asked.wait()
    task.cancel()
    answer.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert back == handed_back


async def test_what_is_claimed_in_peace_is_kept() -> None:
    async def claim() -> str:
        return "job"

    async def hand_back(_: str) -> None:
        raise AssertionError

    assert await taken(claim(), hand_back) == "job"


async def test_work_ends_with_its_lease_and_the_renewing_with_the_work() -> None:
    async def work() -> str:
        return "words"

    assert await until_lost(work(), endless()) == "words"
    with pytest.raises(LeaseGone):
        await until_lost(endless(), gone())
    with pytest.raises(LeaseGone):
        await until_lost(gone(), endless())
