"""Jobs are transcribed beside requests, whatever happens to the engine, the store or the process meanwhile."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from tests.fakes.engine import ENGLISH, SEGMENT, SPOKEN, FakeEngine, fake_decode
from tests.fakes.parts import fake_parts
from tests.runtime.service.jobs.conftest import LEASE_SECONDS, HandClock
from whisper_runtime.engine.interface import OutOfMemory, State
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.service.jobs import renewal
from whisper_runtime.service.jobs import worker as timing
from whisper_runtime.service.jobs.content import JobRequest, JobResult, KeptRecording
from whisper_runtime.service.jobs.job import Job, JobDraft, JobState
from whisper_runtime.service.jobs.known_results import KnownResults
from whisper_runtime.service.jobs.store import JobStore
from whisper_runtime.service.jobs.worker import JobWorker

ANN = "key ann"
SECONDS = 20.0
"""The longest that a test waits."""

StartWorker = Callable[[], JobWorker]


@pytest.fixture
def kind() -> str:
    """A worker needs no more of a store than the suite has."""
    return "sqlite"


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.free_rows = 8
    return engine


@pytest.fixture
async def start_worker(
    store: JobStore, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[StartWorker]:
    """Starts workers of the store, which look at it all the time, and are stopped at the end."""
    for name in ("LOOK_SECONDS", "TIDY_SECONDS", "PAUSE_SECONDS"):
        monkeypatch.setattr(timing, name, 0.01)
    for name in ("RENEW_SECONDS", "PROGRESS_SECONDS"):
        monkeypatch.setattr(renewal, name, 0.01)
    running: list[asyncio.Task[None]] = []

    def start(of: JobStore = store) -> JobWorker:
        worker = worker_of(of, engine)
        running.append(asyncio.create_task(worker.run()))
        return worker

    yield start
    await stop(*running)


def worker_of(store: JobStore, engine: FakeEngine, model: str = "base") -> JobWorker:
    parts = fake_parts(engine, model=model)
    disk, known = parts.admission.disk, KnownResults(parts.results)
    return JobWorker(store, fake_decode, engine, parts.model, disk, parts.metrics.requests, 3600.0, known)


async def stop(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def queue(
    store: JobStore, seconds: float = 2.5, *, clips: tuple[float, ...] | None = None, **options: Any
) -> Job:
    request = JobRequest(Options(**options), (KeptRecording(int(seconds * 16_000), clips),), False, {})
    draft = JobDraft(ANN, request.to_json(), seconds)
    return await store.put(draft, io.BytesIO(f"speech {seconds}".encode()))


async def until(condition: Callable[[], Coroutine[Any, Any, bool]]) -> None:
    async with asyncio.timeout(SECONDS):
        while not await condition():
            await asyncio.sleep(0.01)


async def until_state(store: JobStore, job: Job, *states: JobState) -> Job:
    async def is_so() -> bool:
        return (await store.get(ANN, job.id)).state in states

    await until(is_so)
    return await store.get(ANN, job.id)


async def test_a_job_is_transcribed_in_the_background(
    store: JobStore, engine: FakeEngine, start_worker: StartWorker
) -> None:
    start_worker()
    job = await until_state(store, await queue(store, language="de", prompt="Kubernetes"), "completed")
    result = JobResult.from_json(await store.result(ANN, job.id))
    assert result == JobResult(SPOKEN, "base", english_only=False)
    assert (engine.clients, engine.in_background, engine.num_samples) == ([ANN], [True], [40_000])
    assert engine.asked == [Options(language="de", prompt="Kubernetes")]


async def test_what_is_known_of_the_store_has_the_time_of_before_it_was_looked_at(
    store: JobStore, engine: FakeEngine, start_worker: StartWorker
) -> None:
    assert worker_of(store, engine).looked is None
    worker, before = start_worker(), time.monotonic()
    async with asyncio.timeout(SECONDS):
        while worker.looked is None:
            await asyncio.sleep(0.01)
    assert before <= worker.looked <= time.monotonic()


async def test_progress_follows_the_windows(store: JobStore, engine: FakeEngine, start_worker: StartWorker) -> None:
    engine.answer = None
    start_worker()
    job = await queue(store, 10)
    await engine.until_submitted()
    engine.emit(SEGMENT)

    async def has_progress() -> bool:
        return (await store.get(ANN, job.id)).done_seconds == SEGMENT.end

    await until(has_progress)


async def test_a_recording_goes_on_while_nobody_speaks(
    store: JobStore, engine: FakeEngine, start_worker: StartWorker
) -> None:
    engine.answer = None
    worker = start_worker()
    job = await queue(store, 3600)
    await engine.until_submitted()
    engine.go_on(1800.0)

    async def has_progress() -> bool:
        return (await store.get(ANN, job.id)).done_seconds == worker.progress_seconds == 1800.0

    await until(has_progress)


async def test_where_no_row_is_free_one_job_runs_at_a_time(
    store: JobStore, engine: FakeEngine, start_worker: StartWorker
) -> None:
    engine.answer, engine.free_rows = None, 0
    start_worker()
    jobs = [await queue(store) for _ in range(3)]
    for number, job in enumerate(jobs):
        await engine.until_submitted(number + 1)
        engine.begin(number)
        states = [(await store.get(ANN, one.id)).state for one in jobs]
        assert states == ["completed"] * number + ["in_progress"] + ["queued"] * (2 - number)
        engine.held[number].set_result(SPOKEN)
        await until_state(store, job, "completed")


async def test_while_rows_are_free_jobs_run_beside_each_other(
    store: JobStore, engine: FakeEngine, start_worker: StartWorker
) -> None:
    """Each once the one before it has its row."""
    engine.answer = None
    start_worker()
    jobs = [await queue(store) for _ in range(3)]
    for number in range(3):
        await engine.until_submitted(number + 1)
        assert len(engine.held) == number + 1
        engine.begin(number)
    for future in engine.held:
        future.set_result(SPOKEN)
    for job in jobs:
        await until_state(store, job, "completed")


@pytest.mark.parametrize("verb", ["cancel", "delete"])
async def test_a_job_that_is_cancelled_or_deleted_leaves_the_engine(
    store: JobStore, engine: FakeEngine, start_worker: StartWorker, verb: str
) -> None:
    engine.answer = None
    start_worker()
    job = await queue(store)
    await engine.until_submitted()
    await getattr(store, verb)(ANN, job.id)
    await engine.until_cancelled()
    engine.answer = SPOKEN
    await until_state(store, await queue(store), "completed")


async def test_a_worker_that_stops_hands_its_jobs_back(store: JobStore, engine: FakeEngine) -> None:
    engine.answer = None
    worker = worker_of(store, engine)
    running = asyncio.create_task(worker.run())
    job = await queue(store)
    worker.wake()
    await engine.until_submitted()
    await stop(running)
    assert engine.held[0].cancelled()
    again = await store.get(ANN, job.id)
    assert (again.state, again.attempt) == ("queued", 0)


class CountedRenewals:
    """A store that counts renewals of leases."""

    def __init__(self, store: JobStore) -> None:
        self._store, self.count = store, 0

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._store, verb)

    async def renew(self, *lease: Any) -> None:
        await self._store.renew(*lease)
        self.count += 1


@pytest.mark.parametrize(("state", "is_stuck"), [(State.FAILED, False), (State.READY, True)])
async def test_where_the_engine_has_failed_the_attempt_counts(
    store: JobStore, clock: HandClock, engine: FakeEngine, state: State, is_stuck: bool
) -> None:
    """For the recording may be why."""
    engine.answer = None
    worker = worker_of(store, engine)
    running = asyncio.create_task(worker.run())
    job = await queue(store)
    worker.wake()
    await engine.until_submitted()
    engine.state, engine.is_stuck = state, is_stuck
    await stop(running)
    assert (await store.get(ANN, job.id)).state == "in_progress"
    clock.now += LEASE_SECONDS
    again = await store.claim()
    assert again is not None
    assert again.job.attempt == 2


async def test_a_job_that_may_have_ended_a_process_runs_alone(
    store: JobStore, clock: HandClock, engine: FakeEngine, start_worker: StartWorker
) -> None:
    suspect = await queue(store)
    await store.claim()
    clock.now += LEASE_SECONDS
    others = [await queue(store) for _ in range(2)]
    engine.answer = None
    worker = start_worker()
    await engine.until_submitted()
    engine.begin()

    async def has_looked() -> bool:
        return worker.statistics.jobs.get("in_progress") == 1

    await until(has_looked)
    assert [(await store.get(ANN, one.id)).state for one in (suspect, *others)] == ["in_progress", "queued", "queued"]
    assert len(engine.held) == 1
    engine.held[0].set_result(SPOKEN)
    await engine.until_submitted(2)
    engine.begin(1)
    await engine.until_submitted(3)


async def test_an_engine_that_hangs_loses_its_lease(
    store: JobStore, clock: HandClock, engine: FakeEngine, start_worker: Callable[..., JobWorker]
) -> None:
    engine.answer = None
    renewals = CountedRenewals(store)
    start_worker(renewals)
    job = await queue(store)
    await engine.until_submitted()
    for _ in range(3):
        clock.now += LEASE_SECONDS * 0.9
        before = renewals.count

        async def is_renewed(before: int = before) -> bool:
            return renewals.count > before + 1

        await until(is_renewed)
        assert await store.claim() is None
    engine.is_stuck = True
    await store.statistics()  # behind the last renewal
    clock.now += LEASE_SECONDS + 1
    other = await store.claim()
    assert other is not None
    assert (other.job.id, other.job.attempt) == (job.id, 2)
    engine.is_stuck = False
    await engine.until_cancelled()
    await store.finish(other.lease, b"of the other")


async def test_a_recording_that_always_fails_is_given_up_and_keeps_nobody_back(
    store: JobStore, engine: FakeEngine, start_worker: StartWorker
) -> None:
    engine.answer = RuntimeError("secret words")
    start_worker()
    poison = await until_state(store, await queue(store), "failed")
    assert (poison.attempt, len(engine.held)) == (3, 3)
    assert poison.error is not None
    assert poison.error["code"] == "internal_error"
    assert "secret" not in str(poison.error)
    engine.answer = SPOKEN
    await until_state(store, await queue(store), "completed")


async def test_a_recording_without_room_on_the_device_says_so(
    store: JobStore, engine: FakeEngine, start_worker: StartWorker
) -> None:
    engine.answer = OutOfMemory()
    start_worker()
    job = await until_state(store, await queue(store), "failed")
    assert (job.error or {})["code"] == "out_of_memory"


async def test_a_job_runs_whole_on_one_model_and_says_which(store: JobStore, engine: FakeEngine) -> None:
    """Given a job that one model has begun with, and one that waits, when the process of another model follows."""
    engine.answer = None
    before = asyncio.create_task(worker_of(store, engine, "base").run())
    begun, waiting = await queue(store, 10), await queue(store)
    await engine.until_submitted()
    engine.emit(SEGMENT)
    assert (await store.get(ANN, begun.id)).model == "base"
    await stop(before)
    assert (await store.get(ANN, begun.id)).model is None

    after = asyncio.create_task(worker_of(store, engine, "tiny").run())
    for number, job in enumerate((begun, waiting), start=1):
        await engine.until_submitted(number + 1)
        engine.held[number].set_result(SPOKEN)
        done = await until_state(store, job, "completed")
        result = JobResult.from_json(await store.result(ANN, job.id))
        assert (done.model, result.model, done.attempt) == ("tiny", "tiny", 1)
    assert engine.num_samples == [160_000, 160_000, 40_000], "all of it is done anew"
    await stop(after)


@pytest.mark.parametrize("options", [{"task": "translate"}, {"language": "de"}, {"languages": ("en", "de")}])
async def test_a_job_that_a_changed_model_cannot_do_fails(
    store: JobStore, engine: FakeEngine, start_worker: StartWorker, options: dict[str, Any]
) -> None:
    engine.abilities = ENGLISH
    start_worker()
    job = await until_state(store, await queue(store, **options), "failed")
    assert (job.error or {})["code"] == "model_changed"
    assert engine.asked == []


async def test_a_recording_without_speech_costs_no_window(
    store: JobStore, engine: FakeEngine, start_worker: StartWorker
) -> None:
    start_worker()
    job = await until_state(store, await queue(store, clips=()), "completed")
    result = JobResult.from_json(await store.result(ANN, job.id))
    assert result.transcription == Transcription("", "en", 2.5, ())
    assert engine.asked == []


async def test_nothing_is_claimed_before_the_model_is_ready(
    store: JobStore, engine: FakeEngine, start_worker: StartWorker
) -> None:
    engine.state = State.LOADING
    worker = start_worker()
    job = await queue(store)

    async def has_looked() -> bool:
        return worker.statistics.jobs.get("queued") == 1

    await until(has_looked)
    assert engine.asked == []
    engine.state = State.READY
    await until_state(store, job, "completed")


class FullDisk:
    """A store on a disk that has no room for results, until `has_room`."""

    def __init__(self, store: JobStore) -> None:
        self._store, self.has_room, self.refused = store, False, 0

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._store, verb)

    async def finish(self, *result: Any) -> None:
        if not self.has_room:
            self.refused += 1
            raise OSError(28, "No space left on device")
        await self._store.finish(*result)


async def test_a_full_disk_costs_no_attempt(store: JobStore, start_worker: Callable[..., JobWorker]) -> None:
    full = FullDisk(store)
    start_worker(full)
    job = await queue(store)

    async def is_refused_often() -> bool:
        return full.refused > 5

    await until(is_refused_often)
    full.has_room = True
    assert (await until_state(store, job, "completed")).attempt == 1
