"""A job takes the result that is known of its recording, and leaves its own for others until it is deleted."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.engine import SEGMENT, SPOKEN, FakeEngine
from tests.fakes.jobs import fake_jobs
from tests.fakes.parts import fake_parts
from whisper_runtime.engine.speech.spans import SpeechDetection
from whisper_runtime.engine.transcription import Options, Transcription
from whisper_runtime.service.audio_loading import DEFAULT_AUDIO, AudioOptions, MediaFile
from whisper_runtime.service.jobs.content import JobResult
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.intake import SubmittedForm
from whisper_runtime.service.jobs.job import Job
from whisper_runtime.service.parts import RuntimeParts
from whisper_runtime.service.result_cache.cached_transcriber import CachedTranscriber
from whisper_runtime.service.result_cache.directives import NO_DIRECTIVES
from whisper_runtime.service.transcribe import SegmentStream

ANN = "key ann"
SECONDS = 60


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.answer = replace(SPOKEN, segments=(SEGMENT, replace(SEGMENT, id=1)))
    return engine


@pytest.fixture
def parts(engine: FakeEngine) -> RuntimeParts:
    return fake_parts(engine, result_cache_max_bytes=1024**2)


@pytest.fixture
async def door(parts: RuntimeParts, tmp_path: Path) -> AsyncIterator[JobDoor]:
    opened = fake_jobs(parts, tmp_path)
    working = asyncio.create_task(opened.worker.run())
    yield opened
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await opened.close()


async def submitted(door: JobDoor, parts: RuntimeParts, form: SubmittedForm | None = None) -> Job:
    """A job of ann's for five seconds of audio."""
    form = form or SubmittedForm(Options(), DEFAULT_AUDIO, {}, {}, None, "", None)
    with parts.admission.at_the_door(ANN, 8, is_deferred=True) as admitted:
        return await door.submit(MediaFile(io.BytesIO(b"speech 5")), admitted, form)


async def done(
    door: JobDoor,
    parts: RuntimeParts,
    *,
    audio: AudioOptions = DEFAULT_AUDIO,
    uses_results: bool = True,
    **options: Any,
) -> Job:
    """Such a job once it has ended."""
    form = SubmittedForm(Options(**options), audio, {}, {}, None, "", None, uses_results=uses_results)
    job = await submitted(door, parts, form)
    return (await door.wait(ANN, job.id, SECONDS)).job


async def transcribed(parts: RuntimeParts, stream: SegmentStream | None = None) -> Transcription:
    """The same audio by a request of ann's."""
    assert parts.results is not None
    with parts.admission.at_the_door(ANN, 8) as admitted:
        transcriber = CachedTranscriber(parts.transcriber, parts.results, NO_DIRECTIVES, "f" * 64)
        return await transcriber.transcribe(MediaFile(io.BytesIO(b"speech 5")), admitted, Options(), stream)


async def test_what_a_request_came_to_is_the_jobs_result(
    door: JobDoor, parts: RuntimeParts, engine: FakeEngine
) -> None:
    found = await transcribed(parts)
    job = await done(door, parts)
    assert job.state == "completed"
    assert JobResult.from_json(await door.store.result(ANN, job.id)) == JobResult(found, "base", english_only=False)
    assert len(engine.asked) == 1
    saved = parts.metrics.registry.get_sample_value("whisper_result_cache_saved_audio_seconds_total")
    assert saved == SPOKEN.audio_seconds


async def test_what_a_job_came_to_is_known_to_requests_and_jobs_event_by_event(
    door: JobDoor, parts: RuntimeParts, engine: FakeEngine
) -> None:
    first, second = await done(door, parts), await done(door, parts)
    assert await door.store.result(ANN, first.id) == await door.store.result(ANN, second.id)
    stream = SegmentStream()
    found = await transcribed(parts, stream)
    windows = [await stream.next_window() for _ in found.segments]
    assert windows == [(one,) for one in found.segments]
    assert len(engine.asked) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"language": "de"},
        {"audio": AudioOptions(detection=SpeechDetection())},
        {"uses_results": False},
        {"temperatures": (0.5,)},
    ],
    ids=str,
)
async def test_what_is_not_the_same_or_is_not_to_be_kept_is_transcribed(
    door: JobDoor, parts: RuntimeParts, engine: FakeEngine, other: dict[str, Any]
) -> None:
    first, second = await done(door, parts), await done(door, parts, **other)
    assert [one.state for one in (first, second)] == ["completed"] * 2
    assert len(engine.asked) + ("audio" in other) == 2  # silence asks no engine


def joined(parts: RuntimeParts) -> float | None:
    return parts.metrics.registry.get_sample_value("whisper_result_cache_requests_total", {"outcome": "join"})


async def until_joined(parts: RuntimeParts, door: JobDoor, job: Job) -> None:
    """Returns once the job waits for a run that it has not begun."""
    async with asyncio.timeout(SECONDS):
        while not ((running := door.worker.running(job.id)) and running.segments):
            await asyncio.sleep(0.01)


async def test_a_job_joins_the_run_of_a_request(door: JobDoor, parts: RuntimeParts, engine: FakeEngine) -> None:
    engine.answer = None
    request = asyncio.create_task(transcribed(parts))
    await engine.until_submitted()
    engine.emit(SEGMENT)
    job = await submitted(door, parts)
    await until_joined(parts, door, job)
    engine.held[0].set_result(SPOKEN)
    assert await request == SPOKEN
    job = (await door.wait(ANN, job.id, SECONDS)).job
    assert (job.state, len(engine.asked), joined(parts)) == ("completed", 1, 1)


async def test_a_job_goes_on_with_the_run_of_a_request_that_has_left(
    door: JobDoor, parts: RuntimeParts, engine: FakeEngine
) -> None:
    engine.answer = None
    request = asyncio.create_task(transcribed(parts))
    await engine.until_submitted()
    engine.emit(SEGMENT)
    job = await submitted(door, parts)
    await until_joined(parts, door, job)
    request.cancel()
    await asyncio.wait({request})
    engine.held[0].set_result(SPOKEN)
    assert (await door.wait(ANN, job.id, SECONDS)).job.state == "completed"


async def test_jobs_for_the_same_cost_one_run_and_a_cancelled_one_leaves_it_to_the_others(
    door: JobDoor, parts: RuntimeParts, engine: FakeEngine
) -> None:
    engine.answer, engine.free_rows = None, 8
    jobs = [await submitted(door, parts)]
    await engine.until_submitted()
    engine.begin()
    engine.emit(SEGMENT)
    jobs += [await submitted(door, parts) for _ in range(2)]
    for job in jobs[1:]:
        await until_joined(parts, door, job)
    await door.cancel(ANN, jobs[0].id)
    engine.held[0].set_result(SPOKEN)
    states = [(await door.wait(ANN, job.id, SECONDS)).job.state for job in jobs]
    assert states == ["cancelled", "completed", "completed"]
    assert (len(engine.asked), joined(parts)) == (1, 2)


async def test_a_request_joins_the_run_of_a_job_which_yields_to_others_no_more(
    door: JobDoor, parts: RuntimeParts, engine: FakeEngine
) -> None:
    engine.answer = None
    job, stream = await submitted(door, parts), SegmentStream()
    await engine.until_submitted()
    engine.emit(SEGMENT)
    assert engine.in_background == [True]
    request = asyncio.create_task(transcribed(parts, stream))
    assert await stream.next_window() == (SEGMENT,)
    assert engine.in_background == [False]
    engine.held[0].set_result(SPOKEN)
    assert await request == SPOKEN
    assert (await door.wait(ANN, job.id, SECONDS)).job.state == "completed"
    assert len(engine.asked) == 1


async def test_an_error_of_the_run_that_it_joined_is_an_attempt_of_the_job(
    door: JobDoor, parts: RuntimeParts, engine: FakeEngine
) -> None:
    engine.answer = None
    request = asyncio.create_task(transcribed(parts))
    await engine.until_submitted()
    engine.emit(SEGMENT)
    job = await submitted(door, parts)
    await until_joined(parts, door, job)
    engine.answer = SPOKEN
    engine.held[0].set_exception(RuntimeError("the device"))
    with pytest.raises(RuntimeError, match="the device"):
        await request
    job = (await door.wait(ANN, job.id, SECONDS)).job
    assert (job.state, job.attempt, len(engine.asked)) == ("completed", 2, 2)


async def test_a_job_that_is_deleted_leaves_nothing(door: JobDoor, parts: RuntimeParts, engine: FakeEngine) -> None:
    job = await done(door, parts)
    await door.delete(ANN, job.id)
    await transcribed(parts)
    assert len(engine.asked) == 2


async def test_without_a_cache_each_job_is_transcribed(engine: FakeEngine, tmp_path: Path) -> None:
    parts = fake_parts(engine)
    door = fake_jobs(parts, tmp_path)
    working = asyncio.create_task(door.worker.run())
    jobs = [await done(door, parts) for _ in range(2)]
    await door.delete(ANN, jobs[0].id)
    assert len(engine.asked) == 2
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await door.close()
