"""A flight goes on for as long as anybody waits for it, and gives each who joins all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.engine import SEGMENT, SPOKEN
from whisper_runtime.engine.transcription import Segment, Transcription
from whisper_runtime.errors import HttpError, unavailable
from whisper_runtime.service.result_cache.content import KnownResult
from whisper_runtime.service.result_cache.flight import Flight
from whisper_runtime.service.transcribe import SegmentStream

SECOND = replace(SEGMENT, id=1)


class Run:
    """A flight whose work ends when the test says so."""

    def __init__(self, *, yields: bool = False) -> None:
        self.outcome: asyncio.Future[Transcription] = asyncio.get_running_loop().create_future()
        self.is_over = False
        self.flight = Flight(self._run, self._end, yields=yields)

    async def _run(self, flight: Flight) -> KnownResult:
        return KnownResult(await self.outcome, flight.windows, 0.5)

    def _end(self) -> None:
        self.is_over = True

    def join(self, stream: SegmentStream | None = None, **callbacks: Any) -> asyncio.Task[KnownResult]:
        return asyncio.create_task(self.flight.join(stream and stream.put, **callbacks))

    async def emit(self, *segments: Segment) -> None:
        """As the engine's thread does."""
        await asyncio.to_thread(self.flight.on_segments, segments)


async def windows_of(stream: SegmentStream, count: int) -> list[Sequence[Segment] | None]:
    async with asyncio.timeout(10):
        return [await stream.next_window() for _ in range(count)]


async def test_all_get_the_one_result_with_the_windows_that_became_final() -> None:
    run = Run()
    first, second = run.join(), run.join()
    await asyncio.sleep(0)
    await run.emit(SEGMENT)
    await run.emit(SECOND)
    run.outcome.set_result(SPOKEN)
    assert await first == await second == KnownResult(SPOKEN, (1, 1), 0.5)
    assert run.is_over


async def test_a_stream_that_joins_gets_what_was_final_before_and_goes_on() -> None:
    run, early, late = Run(), SegmentStream(), SegmentStream()
    first = run.join(early)
    await asyncio.sleep(0)
    await run.emit(SEGMENT)
    second = run.join(late)
    await asyncio.sleep(0)
    await run.emit(SECOND)
    assert await windows_of(early, 2) == await windows_of(late, 2) == [(SEGMENT,), (SECOND,)]
    run.outcome.set_result(SPOKEN)
    await asyncio.gather(first, second)


async def test_it_outlasts_who_began_it() -> None:
    run = Run()
    first, second = run.join(SegmentStream()), run.join()
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    await run.emit(SEGMENT)
    assert not run.outcome.cancelled()
    run.outcome.set_result(SPOKEN)
    assert (await second).transcription == SPOKEN


async def test_its_work_ends_with_the_last_who_waits_and_nobody_can_join_it_then() -> None:
    run = Run()
    tasks = {run.join(), run.join()}
    await asyncio.sleep(0)
    for task in tasks:
        assert not run.is_over
        task.cancel()
        await asyncio.wait({task})
    assert run.outcome.cancelled()
    assert run.is_over


async def test_its_error_is_that_of_all_who_wait() -> None:
    run = Run()
    tasks = [run.join(), run.join(SegmentStream())]
    await asyncio.sleep(0)
    run.outcome.set_exception(unavailable("no memory", "out_of_memory", 10))
    for task in tasks:
        with pytest.raises(HttpError, match="no memory"):
            await task
    assert run.is_over


async def test_who_joins_gets_the_progress_that_there_was_and_goes_on() -> None:
    run, early, late = Run(), list[float](), list[float]()
    tasks = [run.join(on_progress=early.append)]
    await asyncio.sleep(0)
    await asyncio.to_thread(run.flight.on_progress, 30.0)
    tasks.append(run.join(on_progress=late.append))
    await asyncio.sleep(0)
    await asyncio.to_thread(run.flight.on_progress, 60.0)
    run.outcome.set_result(SPOKEN)
    await asyncio.gather(*tasks)
    assert early == late == [30.0, 60.0]


async def test_it_yields_to_others_until_somebody_joins_who_does_not() -> None:
    """And does not begin to yield again when they leave: it is as far as they brought it."""
    run = Run(yields=True)
    tasks = [run.join(yields=True), run.join(yields=True)]
    await asyncio.sleep(0)
    assert run.flight.is_background()
    tasks.append(run.join())
    await asyncio.sleep(0)
    assert not run.flight.is_background()
    tasks[2].cancel()
    await asyncio.wait({tasks[2]})
    assert not run.flight.is_background()
    run.outcome.set_result(SPOKEN)
    await asyncio.gather(*tasks[:2])


def test_an_engine_that_emits_after_the_servers_end_disturbs_nobody() -> None:
    async def begun() -> Flight:
        run = Run()
        await asyncio.sleep(0)
        return run.flight

    flight = asyncio.run(begun())
    flight.on_segments([SEGMENT])
    flight.on_progress(1.0)
