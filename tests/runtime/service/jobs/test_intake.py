"""What becomes a job is read, counted and kept in that order, and a client that repeats itself has one job."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.jobs import fake_jobs, fake_keep
from tests.fakes.parts import fake_parts
from whisper_runtime.engine.transcription import Options
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.audio_loading import DEFAULT_AUDIO, LoadedAudio, MediaFile
from whisper_runtime.service.disk_quota import DiskQuota
from whisper_runtime.service.fair_share import FairShare
from whisper_runtime.service.jobs.content import JobRequest
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.intake import JobIntake, SubmittedForm
from whisper_runtime.service.jobs.job import Job, KeyInUse, KeyReused
from whisper_runtime.service.rate_limits import RateLimits

FORM: Final = SubmittedForm(Options(), DEFAULT_AUDIO, {}, {"case": "17"}, None, "digest", None)
SECONDS: Final = 2


class HeldReader:
    """Reads two seconds once it is let."""

    def __init__(self) -> None:
        self.may_read = asyncio.Event()
        self.has_read = 0

    async def known_speakers(self, _: Any) -> Sequence[Any]:
        return ()

    async def load(self, *_: Any) -> list[LoadedAudio]:
        await self.may_read.wait()
        self.has_read += 1
        return [LoadedAudio(np.zeros(SECONDS * 16_000, np.float32), None)]


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[JobDoor]:
    opened = fake_jobs(fake_parts(FakeEngine()), tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
def reader() -> HeldReader:
    return HeldReader()


@pytest.fixture
def intake(door: JobDoor, reader: HeldReader) -> JobIntake:
    return JobIntake(door.store, reader, fake_keep, keeps_results=True)


async def submitted(intake: JobIntake, rates: RateLimits | None = None, **changed: Any) -> Job:
    shares, disk = FairShare(), DiskQuota(10**9, lambda: 1)
    admitted = Admitted(shares.take("ann", None), shares, rates or RateLimits(None, None), disk, 10**9)
    with tempfile.TemporaryFile() as file:
        job = await intake.submit(MediaFile(file), admitted, replace(FORM, **changed))
    assert disk.used == 0
    return job


async def test_a_job_is_what_the_form_says_and_as_long_as_its_recording(intake: JobIntake, reader: HeldReader) -> None:
    reader.may_read.set()
    rates = RateLimits(None, 60)
    job = await submitted(intake, rates)
    request = JobRequest.from_json(job.request)
    assert (job.client, job.state, job.audio_seconds, job.metadata) == ("ann", "queued", SECONDS, {"case": "17"})
    assert [one.samples for one in request.recordings] == [SECONDS * 16_000]
    assert request.audio_digest is not None
    assert rates.headers("ann")["x-ratelimit-remaining-audio-seconds"] == "3598"


async def test_a_result_is_not_looked_for_where_the_client_does_not_want_one(
    intake: JobIntake, reader: HeldReader
) -> None:
    reader.may_read.set()
    for job in (await submitted(intake, uses_results=False), await submitted(replace(intake, keeps_results=False))):
        assert JobRequest.from_json(job.request).audio_digest is None


async def test_a_request_that_is_repeated_is_read_once(intake: JobIntake, reader: HeldReader) -> None:
    reader.may_read.set()
    first, again = [await submitted(intake, idempotency_key="17") for _ in range(2)]
    assert (first.id, reader.has_read) == (again.id, 1)
    with pytest.raises(KeyReused):
        await submitted(intake, idempotency_key="17", body_digest="another")


async def test_nor_is_one_read_whose_key_is_on_its_way(intake: JobIntake, reader: HeldReader) -> None:
    first = asyncio.create_task(submitted(intake, idempotency_key="17"))
    while not intake.submitting:
        await asyncio.sleep(0)
    with pytest.raises(KeyInUse):
        await submitted(intake, idempotency_key="17")
    reader.may_read.set()
    await first
    assert reader.has_read == 1
    assert not intake.submitting
