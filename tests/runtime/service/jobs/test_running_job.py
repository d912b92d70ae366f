"""A running job knows how far it is, and wakes who follows it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.fakes.engine import SEGMENT
from whisper_runtime.service.jobs.job import Job
from whisper_runtime.service.jobs.running_job import RunningJob


def nothing(_seconds: float = 0.0) -> None: ...


def job(**fields: int) -> Job:
    return Job("key ann", "{}", 10.0, id="tr_1", **fields)  # pyright: ignore[reportArgumentType]


async def test_its_progress_is_never_more_than_there_is() -> None:
    seconds = list[float]()
    running = RunningJob(job(), nothing, on_progress=seconds.append)
    for done in (3.0, 6.0, 30.0):
        running.advance(done)
    assert (running.done_seconds, seconds) == (10.0, [3.0, 3.0, 4.0])


async def test_its_progress_is_to_be_noted_but_for_the_last_which_its_end_notes() -> None:
    for done, is_noted in ((9.0, True), (10.0, False)):
        running = RunningJob(job(), nothing, nothing)
        running.advance(done)
        assert running.changed.is_set() == is_noted


async def test_its_segments_are_kept_as_they_come_and_announced() -> None:
    running = RunningJob(job(token=3), nothing, nothing)
    first, second = SEGMENT, replace(SEGMENT, text=" What.")
    for segment in (first, second):
        news = running.news
        running.put([segment])
        assert news.is_set()
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
