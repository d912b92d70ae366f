"""Work goes on while its lease is renewed, and ends with it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from tests.fakes.engine import FakeEngine
from whisper_runtime.service.jobs import renewal
from whisper_runtime.service.jobs.job import Job, JobLease, JobLeaseLost
from whisper_runtime.service.jobs.renewal import while_renewed
from whisper_runtime.service.jobs.running_job import RunningJob
from whisper_runtime.service.jobs.store import JobStore

LEASE = JobLease("tr_1", 1)


class Renewals:
    """Of a store: each takes the next of `outcomes`, and then always the last."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes, self.done = list(outcomes), 0

    async def renew(self, *_: Any) -> None:
        self.done += 1
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if outcome:
            raise outcome


@pytest.fixture(autouse=True)
def all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RENEW_SECONDS", "PROGRESS_SECONDS"):
        monkeypatch.setattr(renewal, name, 0.001)


async def renewed(renewals: Renewals, engine: FakeEngine, work: Any) -> Any:
    running = RunningJob(Job("key ann", "{}", 10.0), on_begun=lambda: None, on_progress=lambda _: None)
    async with asyncio.timeout(60):
        return await while_renewed(cast(JobStore, renewals), engine, LEASE, running, work)


async def until(renewals: Renewals, count: int) -> str:
    while renewals.done < count:
        await asyncio.sleep(0.001)
    return "words"


async def test_the_result_of_the_work_is_returned() -> None:
    renewals = Renewals(None)
    assert await renewed(renewals, FakeEngine(), until(renewals, 5)) == "words"


async def test_a_store_that_fails_once_is_asked_again() -> None:
    renewals = Renewals(OSError("busy"), None)
    assert await renewed(renewals, FakeEngine(), until(renewals, 3)) == "words"


async def test_work_whose_lease_is_lost_is_cancelled() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(JobLeaseLost):
        await renewed(Renewals(None, JobLeaseLost()), FakeEngine(), work())
    assert ended.is_set()


async def test_nothing_is_renewed_while_the_engine_is_stuck() -> None:
    engine, renewals = FakeEngine(), Renewals(None)
    running = RunningJob(Job("key ann", "{}", 10.0), on_begun=lambda: None, on_progress=lambda _: None)
    engine.is_stuck = True

    async def work() -> int:
        for _ in range(3):
            running.changed.set()
            while running.changed.is_set():  # until it was looked at
                await asyncio.sleep(0.001)
        return renewals.done

    async with asyncio.timeout(60):
        assert await while_renewed(cast(JobStore, renewals), engine, LEASE, running, work()) == 0
