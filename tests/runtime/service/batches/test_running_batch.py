"""A batch goes on from wherever a process has left it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.workplace import ANN, answers_of, take_in, workplace
from tests.runtime.service.jobs.conftest import HandClock
from whisper_runtime.service.batches import line_jobs
from whisper_runtime.service.batches.batch import BatchLease, BatchLeaseLost, ClaimedBatch, LineAnswer
from whisper_runtime.service.batches.line_jobs import BatchWorkplace
from whisper_runtime.service.batches.running_batch import RunningBatch


@pytest.fixture
async def work(tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[BatchWorkplace]:
    for name in ("LOOK_SECONDS", "GATHER_SECONDS", "PAUSE_SECONDS"):
        monkeypatch.setattr(line_jobs, name, 0.01)
    async with workplace(FakeEngine(), tmp_path, clock) as work:
        yield work


async def run(work: BatchWorkplace) -> ClaimedBatch:
    claimed = await work.store.claim_batch()
    assert claimed is not None
    async with asyncio.timeout(30):
        await RunningBatch(work, claimed).run()
    return claimed


async def test_a_batch_whose_window_was_over_before_it_began(work: BatchWorkplace, clock: HandClock) -> None:
    """As where no server ran for that long: each line has its answer."""
    batch = await take_in(work, b"speech", b"speech")
    clock.now = batch.expires
    await run(work)
    done = await work.store.batch(ANN, batch.id)
    assert (done.state, done.total, done.completed, done.failed) == ("expired", 2, 0, 2)
    assert [one["error"]["code"] for one in (await answers_of(work, batch))[1]] == ["batch_expired"] * 2


async def test_a_batch_that_is_answered_in_its_last_moment_is_complete(work: BatchWorkplace, clock: HandClock) -> None:
    batch = await take_in(work, b"speech")
    claimed = await work.store.claim_batch()
    assert claimed is not None
    await work.store.begin_batch(claimed.lease, 0)
    await work.store.hand_back_batch(claimed.lease)
    clock.now = batch.expires
    await run(work)
    assert (await work.store.batch(ANN, batch.id)).state == "completed"


async def test_a_batch_has_expired_also_where_its_process_ended_with_the_last_answer(
    work: BatchWorkplace, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who goes on with it finds no line without an answer."""
    batch = await take_in(work, b"speech", b"speech")
    clock.now = batch.expires
    answer = work.store.answer

    async def last(lease: BatchLease, answers: Sequence[LineAnswer]) -> None:
        await answer(lease, answers)
        raise BatchLeaseLost("another process has it")

    with monkeypatch.context() as ending:
        ending.setattr(work.store, "answer", last)
        with pytest.raises(BatchLeaseLost):
            await run(work)
    clock.now += 60
    await run(work)
    done = await work.store.batch(ANN, batch.id)
    assert (done.state, done.total, done.completed, done.failed) == ("expired", 2, 0, 2)


@pytest.mark.parametrize("ends", [BatchLeaseLost("another process has it"), asyncio.CancelledError()])
async def test_no_job_is_left_of_a_line_whose_process_ended_with_its_answer(
    work: BatchWorkplace, clock: HandClock, monkeypatch: pytest.MonkeyPatch, ends: BaseException
) -> None:
    """Between the answer and the deletion of the job that it was made of."""
    batch = await take_in(work, b"speech", b"speech")
    store = work.jobs.store

    async def dies(*_: object) -> None:
        raise ends

    with monkeypatch.context() as ending:
        ending.setattr(store, "delete", dies)
        with pytest.raises(type(ends)):
            await run(work)
    assert (await store.page(ANN, after=None, limit=9, state=None)).jobs
    clock.now += 60
    await run(work)
    assert not (await store.page(ANN, after=None, limit=9, state=None)).jobs
    assert (await work.store.batch(ANN, batch.id)).completed == 2


async def test_a_batch_that_is_cancelled_before_it_began_has_no_answers(work: BatchWorkplace) -> None:
    batch = await take_in(work, b"speech")
    await work.store.cancel_batch(ANN, batch.id)
    await run(work)
    done = await work.store.batch(ANN, batch.id)
    assert (done.state, done.output_file, done.error_file) == ("cancelled", None, None)


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_a_batch_whose_file_is_lost_ends(work: BatchWorkplace, tmp_path: Path, is_cancelled: bool) -> None:
    batch = await take_in(work, b"speech")
    (tmp_path / "batches" / "files" / batch.input_file).unlink()
    if is_cancelled:
        await work.store.cancel_batch(ANN, batch.id)
    await run(work)
    done = await work.store.batch(ANN, batch.id)
    assert done.state == ("cancelled" if is_cancelled else "failed")
    assert [fault.code for fault in done.faults] == ([] if is_cancelled else ["file_lost"])
