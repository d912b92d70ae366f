"""Lines become jobs while there is room, and each is answered once, whatever comes between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.engine import SPOKEN, FakeEngine
from tests.fakes.workplace import ANN, answers_of, take_in, workplace
from tests.runtime.service.jobs.conftest import HandClock
from whisper_runtime.engine.interface import State
from whisper_runtime.errors import HttpError
from whisper_runtime.service.batches import line_jobs
from whisper_runtime.service.batches.batch import BatchLease, BatchLeaseLost, ClaimedBatch, LineAnswer
from whisper_runtime.service.batches.line_jobs import BatchWorkplace, LineJobs
from whisper_runtime.service.batches.running_batch import RunningBatch
from whisper_runtime.service.jobs.job import Job, JobDraft, JobGone, JobPage, JobState, NoSuchJob

SECONDS = 30.0
"""The longest that a test waits."""


@pytest.fixture(autouse=True)
def all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_SECONDS", "GATHER_SECONDS", "PAUSE_SECONDS", "LONGEST_PAUSE"):
        monkeypatch.setattr(line_jobs, name, 0.01)


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.free_rows = 8
    return engine


@pytest.fixture
async def work(engine: FakeEngine, tmp_path: Path, clock: HandClock) -> AsyncIterator[BatchWorkplace]:
    async with workplace(engine, tmp_path, clock) as work:
        yield work


async def claim(work: BatchWorkplace) -> ClaimedBatch:
    found = await work.store.claim_batch()
    assert found is not None
    return found


async def run(work: BatchWorkplace, claimed: ClaimedBatch) -> None:
    async with asyncio.timeout(SECONDS):
        await RunningBatch(work, claimed).run()


async def jobs_of(work: BatchWorkplace, state: JobState | None = None) -> JobPage:
    return await work.jobs.store.page(ANN, after=None, limit=9, state=state)


def codes(errors: list[Any]) -> list[str]:
    return [one["response"]["body"]["error"]["code"] for one in errors]


async def test_no_more_lines_are_jobs_than_there_is_room_for(
    engine: FakeEngine, work: BatchWorkplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_jobs, "MOST_LIVE", 3)
    engine.answer = None
    batch = await take_in(work, *[b"speech"] * 8)
    running = asyncio.create_task(run(work, await claim(work)))
    for number in range(8):
        await engine.until_submitted(number + 1)
        live = [job for job in (await jobs_of(work)).jobs if job.is_live]
        assert len(live) <= 3
        engine.held[number].set_result(SPOKEN)
    await running
    assert len((await answers_of(work, batch))[0]) == 8


async def test_long_recordings_are_jobs_one_after_the_other(engine: FakeEngine, work: BatchWorkplace) -> None:
    """Of which one may have more audio than there may be at a time."""
    work = replace(work, most_audio_seconds=5.0)
    batch = await take_in(work, *[b"speech 6"] * 10)
    await run(work, await claim(work))
    assert [one["custom_id"] for one in (await answers_of(work, batch))[0]] == [f"{n}" for n in range(10)]


async def test_a_line_that_finds_no_room_is_begun_later(engine: FakeEngine, tmp_path: Path, clock: HandClock) -> None:
    """While others hold the store, and while the model is not there."""
    async with workplace(engine, tmp_path / "full", clock, jobs_max_bytes=60_000) as work:
        batch = await take_in(work, b"speech")
        with (tmp_path / "held").open("w+b") as audio:
            audio.write(b"x" * 20_000)
            engine.state = State.LOADING
            held = await work.jobs.store.put(JobDraft("key bob", "{}", 30.0), audio)
        running = asyncio.create_task(run(work, await claim(work)))
        while (await work.store.batch(ANN, batch.id)).state != "in_progress":
            await asyncio.sleep(0.01)
        engine.state = State.READY
        await work.jobs.delete("key bob", held.id)
        await running
        assert len((await answers_of(work, batch))[0]) == 1


async def test_what_is_begun_anew_is_no_second_job(engine: FakeEngine, work: BatchWorkplace) -> None:
    engine.answer = None
    batch = await take_in(work, b"speech", b"speech")
    before = asyncio.create_task(run(work, first := await claim(work)))
    await engine.until_submitted()
    while len((await jobs_of(work)).jobs) < 2:
        await asyncio.sleep(0.01)
    before.cancel()
    await asyncio.gather(before, return_exceptions=True)
    await work.store.hand_back_batch(first.lease)
    engine.held[0].set_result(SPOKEN)
    engine.answer = SPOKEN
    await run(work, await claim(work))
    assert len((await answers_of(work, batch))[0]) == 2
    assert len(engine.asked) == 2


async def test_a_result_that_has_expired_is_made_anew(
    engine: FakeEngine, work: BatchWorkplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where no server ran for longer than results are kept."""
    result, times = work.jobs.store.result, 0

    async def expired_once(client: str, job_id: str) -> bytes:
        nonlocal times
        times += 1
        if times == 1:
            raise JobGone("its result has expired")
        return await result(client, job_id)

    monkeypatch.setattr(work.jobs.store, "result", expired_once)
    batch = await take_in(work, b"speech", b"speech")
    await run(work, await claim(work))
    assert len((await answers_of(work, batch))[0]) == 2
    assert len(engine.asked) == 3


async def test_what_is_done_at_the_end_of_the_window_is_kept_by_whoever_ends_the_batch(
    engine: FakeEngine, work: BatchWorkplace, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its result is there until its answer is: a process may end, or lose its lease, between the two."""
    answer, times = work.store.answer, 0

    async def lost_once(lease: BatchLease, answers: Sequence[LineAnswer]) -> None:
        nonlocal times
        times += 1
        if times == 1:
            raise BatchLeaseLost("another process has it")
        await answer(lease, answers)

    monkeypatch.setattr(work.store, "answer", lost_once)
    engine.answer = None
    batch = await take_in(work, b"speech", b"speech")
    begun = asyncio.create_task(run(work, first := await claim(work)))
    while len((await jobs_of(work)).jobs) < 2:
        await asyncio.sleep(0.01)
    begun.cancel()
    await asyncio.gather(begun, return_exceptions=True)
    await work.store.hand_back_batch(first.lease)
    await engine.until_submitted()
    engine.held[0].set_result(SPOKEN)
    while not (await jobs_of(work, "completed")).jobs:
        await asyncio.sleep(0.01)
    clock.now = batch.expires
    with pytest.raises(BatchLeaseLost):
        await run(work, await claim(work))
    clock.now += 60
    await run(work, await claim(work))
    done, failed = await answers_of(work, batch)
    assert (len(done), [one["error"]["code"] for one in failed]) == (1, ["batch_expired"])
    assert (await jobs_of(work)).jobs == ()


@pytest.mark.parametrize(("status", "tries"), [(502, 3), (413, 1)])
async def test_what_may_go_better_is_tried_thrice(
    work: BatchWorkplace, monkeypatch: pytest.MonkeyPatch, status: int, tries: int
) -> None:
    seen: list[str] = []

    async def refuse(*_: Any) -> None:
        seen.append("")
        raise HttpError(status, "no", code="refused")

    monkeypatch.setattr(type(work.jobs), "submit", refuse)
    batch = await take_in(work, b"speech")
    await run(work, await claim(work))
    (error,) = (await answers_of(work, batch))[1]
    assert (error["response"]["status_code"], len(seen)) == (status, tries)


async def test_a_bug_fails_its_line_alone(work: BatchWorkplace, monkeypatch: pytest.MonkeyPatch) -> None:
    submit = type(work.jobs).submit

    async def broken(door: Any, source: Any, admitted: Any, form: Any) -> Any:
        if form.metadata["custom_id"] == "1":
            raise KeyError("a bug")
        return await submit(door, source, admitted, form)

    monkeypatch.setattr(type(work.jobs), "submit", broken)
    batch = await take_in(work, b"speech", b"speech", b"speech")
    await run(work, await claim(work))
    done, failed = await answers_of(work, batch)
    assert ([one["custom_id"] for one in done], codes(failed)) == (["0", "2"], ["internal_error"])


async def test_a_line_that_ends_processes_fails_after_three(work: BatchWorkplace, clock: HandClock) -> None:
    """The first time unnoticed, beside others; then it was begun with alone."""
    batch = await take_in(work, b"speech", b"speech")
    claimed = await claim(work)
    await work.store.begin_batch(claimed.lease, 2)
    for _ in range(2):
        clock.now += 60
        await work.store.note_try((await claim(work)).lease, 1)
    clock.now += 60
    await run(work, await claim(work))
    done, failed = await answers_of(work, batch)
    assert ([one["custom_id"] for one in done], codes(failed)) == (["1"], ["job_abandoned"])


async def test_who_goes_on_with_a_batch_asks_for_the_jobs_of_many_lines_at_once(
    work: BatchWorkplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 50,000 lines 100 times, and not each time for one."""
    asked: list[int] = []
    made_by = work.jobs.store.made_by

    async def counted(client: str, keys: Collection[str], body_digest: str) -> list[Job]:
        asked.append(len(keys))
        return await made_by(client, keys, body_digest)

    monkeypatch.setattr(work.jobs.store, "made_by", counted)
    batch = await take_in(work, b"speech")
    with (tmp_path / "audio").open("w+b") as audio:
        for number in (1, 700):
            draft = JobDraft(ANN, "{}", 1.0, idempotency_key=f"{batch.id}/{number}", body_digest=batch.id)
            await work.jobs.store.put(draft, audio)
    await LineJobs(work, await claim(work)).delete_answered(range(1, 1002))
    assert asked == [500, 500, 1]
    assert (await jobs_of(work)).jobs == ()


async def test_the_lines_of_a_cancelled_batch_are_looked_up_many_at_once(
    work: BatchWorkplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    made_by = work.jobs.store.made_by

    async def counted(client: str, keys: Collection[str], body_digest: str) -> list[Job]:
        asked.append(len(keys))
        return await made_by(client, keys, body_digest)

    monkeypatch.setattr(work.jobs.store, "made_by", counted)
    monkeypatch.setattr(line_jobs, "ANSWERED_AT_ONCE", 2)
    batch = await take_in(work, *[b"speech"] * 5)
    claimed = await claim(work)
    await work.store.begin_batch(claimed.lease, 5)
    await work.store.cancel_batch(ANN, batch.id)
    await work.store.hand_back_batch(claimed.lease)
    await run(work, await claim(work))
    _, failed = await answers_of(work, batch)
    assert [one["error"]["code"] for one in failed] == ["batch_cancelled"] * 5
    assert asked == [2, 2, 1]


@pytest.mark.parametrize("is_lost", [True, False])
async def test_a_line_whose_job_the_store_has_lost_is_begun_anew_and_one_whose_job_was_deleted_is_not(
    engine: FakeEngine, work: BatchWorkplace, monkeypatch: pytest.MonkeyPatch, is_lost: bool
) -> None:
    """As in a failover: what a worker found by a line's key no replica may have had."""
    batch = await take_in(work, b"speech")
    engine.answer = None
    running = asyncio.create_task(run(work, await claim(work)))
    await engine.until_submitted()
    (job,) = (await jobs_of(work)).jobs
    engine.answer = SPOKEN
    get = work.jobs.store.get

    async def forgotten(client: str, job_id: str) -> Job:
        if job_id == job.id and is_lost:
            raise NoSuchJob(job_id)
        return await get(client, job_id)

    monkeypatch.setattr(work.jobs.store, "get", forgotten)
    await work.jobs.store.delete(ANN, job.id)
    await running
    done, failed = await answers_of(work, batch)
    assert (len(done), codes(failed)) == ((1, []) if is_lost else (0, ["job_gone"]))


async def test_the_key_of_a_line_is_the_lines(work: BatchWorkplace, tmp_path: Path) -> None:
    batch = await take_in(work, b"speech")
    with (tmp_path / "audio").open("w+b") as audio:
        await work.jobs.store.put(JobDraft(ANN, "{}", 1.0, idempotency_key=f"{batch.id}/1", body_digest="x"), audio)
        await run(work, await claim(work))
    assert codes((await answers_of(work, batch))[1]) == ["idempotency_key_reused"]


async def test_a_request_that_has_a_lines_key_stays_whoever_goes_on_with_the_batch(
    work: BatchWorkplace, clock: HandClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = await take_in(work, b"speech")
    with (tmp_path / "audio").open("w+b") as audio:
        draft = JobDraft(ANN, "{}", 1.0, idempotency_key=f"{batch.id}/1", body_digest="x")
        job = await work.jobs.store.put(draft, audio)

        async def dies(*_: object) -> None:
            raise BatchLeaseLost

        with monkeypatch.context() as ending:
            ending.setattr(work.store, "finalize", dies)
            with pytest.raises(BatchLeaseLost):
                await run(work, await claim(work))
        clock.now += 60
        await run(work, await claim(work))
    assert [one.id for one in (await jobs_of(work)).jobs] == [job.id]
    assert codes((await answers_of(work, batch))[1]) == ["idempotency_key_reused"]
