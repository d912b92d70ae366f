"""The engine's thread reports a job's progress; the event loop reads it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.fakes.engine import SEGMENT
from whisper_runtime.service.jobs.job import Job
from whisper_runtime.service.jobs.running_job import RunningJob


def nothing(_seconds: float = 0.0) -> None: ...


def job(**fields: int) -> Job:
    return Job("key ann", "{}", 10.0, id="tr_1", **fields)  # pyright: ignore[reportArgumentType]


async def test_progress_is_that_of_all_recordings_and_never_more_than_there_is() -> None:
    seconds = list[float]()
    running = RunningJob(job(), nothing, on_progress=seconds.append)
    for recording, end in ((0, 3.0), (1, 2.0), (0, 4.0), (0, 1.0)):
        await asyncio.to_thread(running.on_segments(recording), [replace(SEGMENT, end=end)])
    async with asyncio.timeout(60):
        await running.changed.wait()
    assert running.done_seconds == 6.0
    await asyncio.to_thread(running.on_segments(1), [replace(SEGMENT, end=30.0)])
    await asyncio.sleep(0)
    assert (running.done_seconds, sum(seconds)) == (10.0, 10.0)


async def test_its_segments_are_kept_as_they_come_and_announced() -> None:
    running = RunningJob(job(token=3), nothing, nothing)
    first, second = SEGMENT, replace(SEGMENT, text=" What.")
    for segment in (first, second):
        news = running.news
        await asyncio.to_thread(running.on_segments(0), [segment])
        async with asyncio.timeout(60):
            await news.wait()
    assert (running.token, running.segments) == (3, [first, second])


async def test_its_begin_is_told_in_the_event_loop() -> None:
    begun = asyncio.Event()
    running = RunningJob(job(), on_begun=begun.set, on_progress=nothing)
    assert not running.has_begun
    await asyncio.to_thread(running.begin)
    async with asyncio.timeout(60):
        await begun.wait()
    assert running.has_begun


async def test_one_that_was_tried_before_is_suspect() -> None:
    assert [RunningJob(job(attempt=number), nothing, nothing).is_suspect for number in (1, 2)] == [False, True]
