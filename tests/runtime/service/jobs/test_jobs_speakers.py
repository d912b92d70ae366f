"""A job with speakers keeps what was asked of them, and its references as long as its recording."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.diarizer import SECONDS, FakeDiarizer
from tests.fakes.engine import SPOKEN, FakeEngine
from tests.fakes.jobs import fake_jobs
from tests.fakes.parts import fake_parts
from whisper_runtime.diarization.interface import SpeakerBounds, UnusableReference
from whisper_runtime.engine.transcription import Options
from whisper_runtime.errors import HttpError
from whisper_runtime.service.audio_loading import AudioOptions, MediaFile
from whisper_runtime.service.jobs.content import JobRequest, JobResult
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.intake import SubmittedForm
from whisper_runtime.service.jobs.job import Job
from whisper_runtime.service.parts import RuntimeParts
from whisper_runtime.service.speaker_options import COST, SpeakerOptions, SpeakerReference

ANN = "key ann"
KNOWN = (SpeakerReference("Ada", "0", b"speech 3"), SpeakerReference("Bob", "1", b"speech 2"))
ASKED = SpeakerOptions(SpeakerBounds(1, 4), KNOWN)


@pytest.fixture
def diarizer() -> FakeDiarizer:
    return FakeDiarizer()


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def parts(engine: FakeEngine, diarizer: FakeDiarizer) -> RuntimeParts:
    return fake_parts(engine, diarizer=diarizer, result_cache_max_bytes=1024**2)


@pytest.fixture
async def door(parts: RuntimeParts, tmp_path: Path) -> AsyncIterator[JobDoor]:
    opened = fake_jobs(parts, tmp_path)
    working = asyncio.create_task(opened.worker.run())
    yield opened
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await opened.close()


async def submitted(door: JobDoor, parts: RuntimeParts, asked: SpeakerOptions = ASKED, seconds: int = 5) -> Job:
    form = SubmittedForm(Options(word_timestamps=True), AudioOptions(speakers=asked), {}, {}, None, "", None)
    with parts.admission.at_the_door(ANN, 8, is_deferred=True) as admitted:
        return await door.submit(MediaFile(io.BytesIO(b"speech %d" % seconds)), admitted, form)


async def test_its_result_has_speakers(door: JobDoor, parts: RuntimeParts, diarizer: FakeDiarizer) -> None:
    job = (await door.wait(ANN, (await submitted(door, parts)).id, 60)).job
    assert (job.state, job.error) == ("completed", None)
    assert diarizer.asked == [(5.0, SpeakerBounds(1, 4), [("Ada", 3.0), ("Bob", 2.0)])]
    found = JobResult.from_json(await door.store.result(ANN, job.id)).transcription
    assert [word.speaker for segment in found.segments for word in segment.words] == ["A", "B"]


async def test_what_is_kept_of_the_request_holds_no_recording(door: JobDoor, parts: RuntimeParts) -> None:
    job = await submitted(door, parts)
    request = JobRequest.from_json(job.request)
    assert request.speakers == ASKED.without_content()
    assert (request.references, job.audio_seconds) == ((48_000, 32_000), 5.0)


async def test_another_job_for_the_same_takes_its_result(
    door: JobDoor, parts: RuntimeParts, diarizer: FakeDiarizer
) -> None:
    for asked in (ASKED, ASKED, SpeakerOptions(SpeakerBounds(2, 2), KNOWN)):
        job = (await door.wait(ANN, (await submitted(door, parts, asked)).id, 60)).job
        assert job.state == "completed"
    assert len(diarizer.asked) == 2


async def test_a_bad_reference_makes_no_job(door: JobDoor, parts: RuntimeParts) -> None:
    with pytest.raises(HttpError, match="of 'Eve', cannot be decoded"):
        await submitted(door, parts, SpeakerOptions(SpeakerBounds(), (SpeakerReference("Eve", "0", b"noise"),)))


async def test_a_reference_of_no_use_fails_the_job_at_once(
    door: JobDoor, parts: RuntimeParts, diarizer: FakeDiarizer
) -> None:
    diarizer.answer = UnusableReference("the reference of 'Ada' holds no speech")
    job = (await door.wait(ANN, (await submitted(door, parts)).id, 60)).job
    assert (job.state, job.attempt) == ("failed", 1)
    assert job.error is not None
    assert job.error["param"] == "known_speaker_references[]"
    assert "the reference of 'Ada' holds no speech." in str(job.error["message"])


async def test_a_cancelled_job_ends_the_search(door: JobDoor, parts: RuntimeParts, diarizer: FakeDiarizer) -> None:
    diarizer.answer = None
    job = await submitted(door, parts)
    assert await asyncio.to_thread(diarizer.begun.wait, SECONDS)
    await door.cancel(ANN, job.id)
    assert await asyncio.to_thread(diarizer.ended.wait, 60)


async def test_a_job_is_as_far_as_the_slower_of_model_and_search(
    door: JobDoor, parts: RuntimeParts, diarizer: FakeDiarizer, engine: FakeEngine
) -> None:
    diarizer.answer, diarizer.progress_seconds, engine.answer = None, 1.5, None
    job = await submitted(door, parts)
    assert await asyncio.to_thread(diarizer.begun.wait, SECONDS)
    await engine.until_submitted()
    engine.go_on(4.0)
    running = door.worker.running(job.id)
    assert running is not None
    while running.done_seconds == 0:
        await running.news.wait()
    assert (running.done_seconds, running.audio_seconds) == (1.5, 5.0)


async def test_a_jobs_stage_is_the_search_once_the_model_is_done(
    door: JobDoor, parts: RuntimeParts, diarizer: FakeDiarizer, engine: FakeEngine
) -> None:
    diarizer.answer, engine.answer = None, None
    job = await submitted(door, parts)
    assert await asyncio.to_thread(diarizer.begun.wait, SECONDS)
    await engine.until_submitted()
    running = door.worker.running(job.id)
    assert running is not None
    assert await stage(door, job) == "transcribing"
    engine.held[0].set_result(SPOKEN)
    async with asyncio.timeout(SECONDS):
        while running.stage == "transcribing":
            await asyncio.sleep(0)
    assert await stage(door, job) == "speakers"
    await door.cancel(ANN, job.id)
    assert await asyncio.to_thread(diarizer.ended.wait, SECONDS)
    assert await stage(door, job) is None


async def stage(door: JobDoor, job: Job) -> str | None:
    return door.progress(await door.store.placed(job.client, job.id)).stage


async def test_a_job_with_speakers_is_charged_for_them(tmp_path: Path) -> None:
    parts = fake_parts(FakeEngine(), diarizer=FakeDiarizer(), audio_minutes_per_hour=10)
    opened = fake_jobs(parts, tmp_path)
    before = float(parts.admission.rates.headers(ANN)["x-ratelimit-remaining-audio-seconds"])
    await submitted(opened, parts, seconds=200)
    await opened.close()
    after = float(parts.admission.rates.headers(ANN)["x-ratelimit-remaining-audio-seconds"])
    assert before - after == pytest.approx(200 * (1 + COST), abs=2)


def test_a_server_that_tells_nobody_apart_any_more_cannot_do_it() -> None:
    engine = FakeEngine()
    request = JobRequest(Options(), (), False, {}, speakers=SpeakerOptions(SpeakerBounds()))
    assert request.misfit(engine.abilities, diarizes=True) is None
    error = request.misfit(engine.abilities)
    assert error is not None
    assert error["code"] == "model_changed"
    assert "does not tell speakers apart" in str(error["message"])
