"""Batches are claimed while the process runs, kept by renewed leases, and handed back at its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.workplace import ANN, take_in, workplace
from tests.runtime.service.jobs.conftest import HandClock
from whisper_runtime.service.batches import line_jobs, runner
from whisper_runtime.service.batches.batch import BatchLease, BatchLeaseLost, StoredBatch
from whisper_runtime.service.batches.line_jobs import BatchWorkplace
from whisper_runtime.service.batches.runner import BatchRunner
from whisper_runtime.service.jobs.job import JobStoreFull

SECONDS = 30.0
"""The longest that a test waits."""


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def work(
    engine: FakeEngine, tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BatchWorkplace]:
    for name in ("LOOK_SECONDS", "GATHER_SECONDS", "PAUSE_SECONDS"):
        monkeypatch.setattr(line_jobs, name, 0.01)
    for name in ("LOOK_SECONDS", "TIDY_SECONDS", "PAUSE_SECONDS", "RENEW_SECONDS"):
        monkeypatch.setattr(runner, name, 0.01)
    async with workplace(engine, tmp_path, clock) as work:
        yield work


async def stop(running: asyncio.Task[None]) -> None:
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def until_state(work: BatchWorkplace, batch: StoredBatch, state: str) -> None:
    async with asyncio.timeout(SECONDS):
        while (await work.store.batch(ANN, batch.id)).state != state:
            await asyncio.sleep(0.01)


async def test_batches_are_worked_at_beside_each_other(work: BatchWorkplace) -> None:
    batches = [await take_in(work, b"speech") for _ in range(6)]
    running = asyncio.create_task(BatchRunner(work).run())
    for batch in batches:
        await until_state(work, batch, "completed")
    await stop(running)


async def test_a_process_that_ends_hands_its_batches_back(engine: FakeEngine, work: BatchWorkplace) -> None:
    engine.answer = None
    batch = await take_in(work, b"speech")
    running = asyncio.create_task(BatchRunner(work).run())
    await engine.until_submitted()
    await stop(running)
    claimed = await work.store.claim_batch()
    assert claimed is not None
    assert (claimed.batch.id, claimed.batch.losses) == (batch.id, 0)


async def test_leases_are_renewed(engine: FakeEngine, work: BatchWorkplace, clock: HandClock) -> None:
    engine.answer = None
    await take_in(work, b"speech")
    renewed = asyncio.Event()
    renew = work.store.renew_batch

    async def noting(lease: BatchLease) -> None:
        await renew(lease)
        renewed.set()

    vars(work.store)["renew_batch"] = noting
    running = asyncio.create_task(BatchRunner(work).run())
    await engine.until_submitted()
    for _ in range(3):
        clock.now += 59
        renewed.clear()
        async with asyncio.timeout(SECONDS):
            await renewed.wait()
            await renewed.wait()
        assert await work.store.claim_batch() is None
    await stop(running)


async def test_a_batch_that_is_anothers_is_let_go(engine: FakeEngine, work: BatchWorkplace) -> None:
    engine.answer = None
    batch = await take_in(work, b"speech")
    lost = asyncio.Event()

    async def lose(_: BatchLease) -> None:
        lost.set()
        raise BatchLeaseLost

    vars(work.store)["renew_batch"] = lose
    of_this = BatchRunner(work)
    running = asyncio.create_task(of_this.run())
    async with asyncio.timeout(SECONDS):
        await lost.wait()
    await stop(running)
    assert (await work.store.batch(ANN, batch.id)).is_live


@pytest.mark.parametrize("error", [JobStoreFull("the disk is full"), KeyError("a bug")])
async def test_a_batch_that_cannot_go_on_now_does_later(
    work: BatchWorkplace, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = await take_in(work, b"speech")
    answer, times = work.store.answer, 0

    async def failing_once(*arguments: Any) -> None:
        nonlocal times
        times += 1
        if times == 1:
            raise error
        await answer(*arguments)

    monkeypatch.setattr(work.store, "answer", failing_once)
    running = asyncio.create_task(BatchRunner(work).run())
    await until_state(work, batch, "completed")
    assert times == 2
    await stop(running)


async def test_a_store_that_fails_ends_no_process(work: BatchWorkplace, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing_twice(verb: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
        outcomes = iter([OSError("busy"), OSError("busy")])

        async def failing() -> Any:
            if error := next(outcomes, None):
                raise error
            return await verb()

        return failing

    for name in ("claim_batch", "expire_files"):
        monkeypatch.setattr(work.store, name, failing_twice(getattr(work.store, name)))
    batch = await take_in(work, b"speech")
    running = asyncio.create_task(BatchRunner(work).run())
    await until_state(work, batch, "completed")
    await stop(running)
