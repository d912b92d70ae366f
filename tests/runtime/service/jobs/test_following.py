"""Who follows a job sees each of its steps until it ends, and costs nothing once he has gone."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.fakes.engine import SPOKEN, FakeEngine
from tests.fakes.jobs import fake_jobs
from tests.fakes.parts import fake_parts
from whisper_runtime.engine.transcription import Options
from whisper_runtime.errors import HttpError
from whisper_runtime.service.jobs import following
from whisper_runtime.service.jobs.content import JobRequest, JobResult, KeptRecording
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.following import FollowedJob, check_followers, follow
from whisper_runtime.service.jobs.job import Job, JobDraft
from whisper_runtime.service.lifecycle import Phase

ANN = "key ann"
REQUEST = JobRequest(Options(), (KeptRecording(160_000, None),), False, {"task": "transcribe"}).to_json()


@pytest.fixture
async def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[JobDoor]:
    """With no worker that runs."""
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.01)
    opened = fake_jobs(fake_parts(FakeEngine()), tmp_path)
    yield opened
    await opened.close()


async def queued(door: JobDoor) -> Job:
    return await door.store.put(JobDraft(ANN, REQUEST, 10.0), io.BytesIO(b"speech"))


async def until(steps: AsyncGenerator[FollowedJob], state: str) -> FollowedJob:
    async with asyncio.timeout(60):
        while (step := await anext(steps)).job.state != state:
            pass
    return step


async def test_a_job_of_another_process_is_seen_by_its_states_and_then_whole(door: JobDoor) -> None:
    job = await queued(door)
    async with aclosing(follow(door, job)) as steps:
        assert (await until(steps, "queued")).segments == ()
        claimed = await door.store.claim()
        assert claimed is not None
        step = await until(steps, "in_progress")
        assert (step.segments, step.result, step.job.token) == ((), None, claimed.lease.token)
        await door.store.finish(claimed.lease, JobResult(SPOKEN, "base", False).to_json())
        step = await until(steps, "completed")
        assert (step.segments, step.result and step.result.transcription) == (SPOKEN.segments, SPOKEN)
        assert [one async for one in steps] == []


async def test_a_deleted_job_is_followed_no_longer(door: JobDoor) -> None:
    job = await queued(door)
    async with aclosing(follow(door, job)) as steps:
        await until(steps, "queued")
        await door.store.delete(ANN, job.id)
        async with asyncio.timeout(60):
            assert all([one.job.state == "queued" async for one in steps])


async def test_nobody_is_kept_by_a_process_that_ends(door: JobDoor) -> None:
    job = await queued(door)
    door.lifecycle.phase = Phase.LEAVING
    async with asyncio.timeout(60):
        assert [one.job.state async for one in follow(door, job)] == ["queued"]


async def test_a_follower_counts_until_he_goes(door: JobDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST_OF_ONE_CLIENT", 1)
    monkeypatch.setattr(following, "MOST_AT_ONCE", 1)
    job = await queued(door)
    check_followers(door, ANN)
    async with aclosing(follow(door, job)) as steps:
        await until(steps, "queued")
        for client, status in ((ANN, 429), ("key bob", 503)):
            with pytest.raises(HttpError) as refused:
                check_followers(door, client)
            assert refused.value.status_code == status
    check_followers(door, ANN)
    assert not door.followers
