"""Who waits for a job gets it when it ends, when the time is over, or when the process has to end."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.engine import FakeEngine
from tests.fakes.jobs import fake_jobs
from tests.fakes.parts import fake_parts
from tests.runtime.service.jobs.conftest import draft
from whisper_runtime.service.jobs.door import JobDoor, JobProgress
from whisper_runtime.service.jobs.job import Job, NoSuchJob
from whisper_runtime.service.lifecycle import Phase

ANN = "key ann"


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[JobDoor]:
    """With no worker that runs."""
    opened = fake_jobs(fake_parts(FakeEngine()), tmp_path)
    yield opened
    await opened.close()


async def queued(door: JobDoor, seconds: float = 10.0) -> Job:
    return await door.store.put(draft(ANN, seconds), io.BytesIO(b"speech"))


async def test_a_job_that_another_process_ends_is_waited_for_no_longer(door: JobDoor) -> None:
    job = await queued(door)
    waiting = asyncio.create_task(door.wait(ANN, job.id, 1e6))
    await asyncio.sleep(0)
    await door.store.cancel(ANN, job.id)
    async with asyncio.timeout(60):
        assert (await waiting).job.state == "cancelled"


async def test_nobody_is_waited_for_by_a_process_that_ends(door: JobDoor) -> None:
    job = await queued(door)
    door.lifecycle.phase = Phase.LEAVING
    async with asyncio.timeout(60):
        assert (await door.wait(ANN, job.id, 1e6)).job.state == "queued"


async def test_the_time_bounds_the_wait(door: JobDoor) -> None:
    job = await queued(door)
    assert (await door.wait(ANN, job.id, 0.01)).job == job
    with pytest.raises(NoSuchJob):
        await door.wait("key bob", job.id, 1e6)


async def progress(door: JobDoor, job: Job) -> JobProgress:
    return door.progress(await door.store.placed(job.client, job.id))


async def test_what_a_job_may_expect_follows_from_the_queue_and_the_speed(door: JobDoor) -> None:
    """Of the fake engine: ten seconds of audio in a second."""
    first, second = await queued(door, 100.0), await queued(door, 50.0)
    assert await progress(door, first) == JobProgress(0, 10.0)
    assert await progress(door, second) == JobProgress(1, 15.0)
    claimed = await door.store.claim()
    assert claimed is not None
    await door.store.renew(claimed.lease, 40.0)
    assert await progress(door, first) == JobProgress(None, 6.0)
    await door.cancel(ANN, first.id)
    assert await progress(door, first) == JobProgress(None, None)
