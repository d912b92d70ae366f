"""Calls share round trips, each gets its own reply or error, and none waits on once the pipeline is closed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ConnectionError, ResponseError

from whisper_runtime.service.shared import store_pipeline
from whisper_runtime.service.shared.program_call import ProgramCall
from whisper_runtime.service.shared.store_client import Reply
from whisper_runtime.service.shared.store_pipeline import MOST_WAITING, StorePipeline

Replies = list[Reply | Exception]


class RoundTrips:
    """Stands in for store_client.run: each round trip waits until the test says its end."""

    def __init__(self) -> None:
        self._begun: asyncio.Queue[tuple[list[str], asyncio.Future[Replies]]] = asyncio.Queue()

    async def run(self, _: Redis, calls: Sequence[ProgramCall]) -> Replies:
        end: asyncio.Future[Replies] = asyncio.get_running_loop().create_future()
        self._begun.put_nowait(([call.keys[0] for call in calls], end))
        return await end

    async def next(self) -> tuple[list[str], asyncio.Future[Replies]]:
        """The keys of the next round trip, and its end; raises TimeoutError where none begins."""
        async with asyncio.timeout(30):
            return await self._begun.get()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> RoundTrips:
    found = RoundTrips()
    monkeypatch.setattr(store_pipeline, "run", found.run)
    return found


@pytest.fixture
def pipeline() -> StorePipeline:
    return StorePipeline(Redis())


@pytest.fixture
async def task(trips: RoundTrips, pipeline: StorePipeline) -> AsyncIterator[asyncio.Task[None]]:
    """The pipeline's, which runs until the test ends."""
    running = asyncio.create_task(pipeline.run())
    yield running
    await close(running)


async def close(task: asyncio.Task[None]) -> None:
    task.cancel()
    _, unfinished = await asyncio.wait([task], timeout=30)
    assert not unfinished


def call(key: str) -> ProgramCall:
    return ProgramCall("return {}", (key,), ())


async def reply_to(future: asyncio.Future[Reply]) -> Reply:
    async with asyncio.timeout(30):
        return await future


@pytest.mark.usefixtures("task")
async def test_calls_that_come_during_a_round_trip_go_together_with_the_next(
    trips: RoundTrips, pipeline: StorePipeline
) -> None:
    first = pipeline.submit(call("a"))
    keys, end = await trips.next()
    assert keys == ["a"]
    later = [pipeline.submit(call(key)) for key in ("b", "c")]
    end.set_result([[1]])
    assert await reply_to(first) == [1]
    keys, end = await trips.next()
    assert keys == ["b", "c"]
    end.set_result([[2], [3]])
    assert [await reply_to(one) for one in later] == [[2], [3]]


@pytest.mark.usefixtures("task")
async def test_the_error_of_one_call_is_no_other_calls(trips: RoundTrips, pipeline: StorePipeline) -> None:
    wrong, well = pipeline.submit(call("a")), pipeline.submit(call("b"))
    _, end = await trips.next()
    end.set_result([ResponseError("OOM"), [2]])
    assert await reply_to(well) == [2]
    with pytest.raises(ResponseError, match="OOM"):
        await reply_to(wrong)


@pytest.mark.usefixtures("task")
@pytest.mark.parametrize("error", [ConnectionError("reset"), OSError("no route"), KeyError("what")])
async def test_a_round_trip_that_fails_fails_all_its_calls_and_no_later_one(
    trips: RoundTrips, pipeline: StorePipeline, error: Exception
) -> None:
    futures = [pipeline.submit(call(key)) for key in ("a", "b")]
    _, end = await trips.next()
    end.set_exception(error)
    for future in futures:
        with pytest.raises(type(error)):
            await reply_to(future)
    later = pipeline.submit(call("c"))
    _, end = await trips.next()
    end.set_result([[3]])
    assert await reply_to(later) == [3]


@pytest.mark.usefixtures("task")
async def test_a_caller_that_has_gone_takes_no_reply_from_the_others(
    trips: RoundTrips, pipeline: StorePipeline
) -> None:
    gone, stays = pipeline.submit(call("a")), pipeline.submit(call("b"))
    _, end = await trips.next()
    gone.cancel()
    end.set_result([[1], [2]])
    assert await reply_to(stays) == [2]


@pytest.mark.usefixtures("task")
async def test_an_error_that_nobody_waits_for_is_not_logged(trips: RoundTrips, pipeline: StorePipeline) -> None:
    logged: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))
    pipeline.submit(call("a"))
    _, end = await trips.next()
    end.set_result([ResponseError("OOM")])
    later = pipeline.submit(call("b"))
    _, end = await trips.next()
    end.set_result([[2]])
    await reply_to(later)
    gc.collect()
    assert logged == []


async def test_what_waits_is_bounded_and_what_waited_before_is_kept(trips: RoundTrips, pipeline: StorePipeline) -> None:
    waiting = [pipeline.submit(call(str(number))) for number in range(MOST_WAITING)]
    assert pipeline.submit(call("one more")).cancelled()
    task = asyncio.create_task(pipeline.run())
    keys, end = await trips.next()
    assert keys == [str(number) for number in range(MOST_WAITING)]
    assert not pipeline.submit(call("now there is room")).done()
    end.set_result([[number] for number in range(MOST_WAITING)])
    assert [await reply_to(one) for one in waiting] == [[number] for number in range(MOST_WAITING)]
    await close(task)


async def test_a_pipeline_that_is_closed_ends_the_calls_that_wait(
    trips: RoundTrips, pipeline: StorePipeline, task: asyncio.Task[None]
) -> None:
    on_its_way = pipeline.submit(call("a"))
    await trips.next()
    waits = pipeline.submit(call("b"))
    await close(task)
    assert (on_its_way.cancelled(), waits.cancelled()) == (True, True)


async def test_a_pipeline_that_is_closed_takes_no_call(pipeline: StorePipeline, task: asyncio.Task[None]) -> None:
    await asyncio.sleep(0)  # one turn of the loop, in which it begins
    await close(task)
    assert pipeline.submit(call("a")).cancelled()


async def test_a_pipeline_ends_though_the_store_fails_as_it_is_closed(
    monkeypatch: pytest.MonkeyPatch, trips: RoundTrips, pipeline: StorePipeline, task: asyncio.Task[None]
) -> None:
    async def fail_in_place_of_ending(client: Redis, calls: Sequence[ProgramCall]) -> Replies:
        try:
            return await trips.run(client, calls)
        except asyncio.CancelledError:
            raise ConnectionError("closed meanwhile") from None

    monkeypatch.setattr(store_pipeline, "run", fail_in_place_of_ending)
    future = pipeline.submit(call("a"))
    await trips.next()
    await close(task)
    with pytest.raises(ConnectionError, match="closed meanwhile"):
        await reply_to(future)
