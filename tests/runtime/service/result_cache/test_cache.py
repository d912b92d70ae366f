"""Results by key: those that are kept, and those that are on their way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry

from tests.fakes.engine import MULTILINGUAL, SPOKEN, FakeEngine
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.transcription import Transcription
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.result_cache.cache import FindResult, PodTurns, ResultCache
from whisper_runtime.service.result_cache.content import Hit, KnownAudio, KnownResult
from whisper_runtime.service.result_cache.directives import NO_DIRECTIVES, CacheDirectives
from whisper_runtime.service.result_cache.flight import Flight
from whisper_runtime.service.result_cache.metrics import CacheMetrics
from whisper_runtime.service.result_cache.store import MemoryStore


def cache_of(
    *, is_shared: bool = False, clock: Callable[[], float] = lambda: 0.0, turns: PodTurns | None = None
) -> ResultCache:
    store = MemoryStore(1024**2, 60, clock)
    metrics = CacheMetrics(CollectorRegistry(), lambda: store.used_bytes)
    model = ServedModel(RuntimeConfig(model="base"), MULTILINGUAL)
    return ResultCache(store, store, model, FakeEngine(), metrics, is_shared=is_shared, turns=turns)


async def kept(cache: ResultCache, found: Transcription = SPOKEN) -> KnownResult:
    """The result of a flight that is over, under the key `a`."""

    async def work(flight: Flight) -> Transcription:
        flight.on_segments(found.segments)
        await asyncio.sleep(0)
        return found

    return await cache.begin("a", work).join()


async def test_a_result_is_kept_with_its_windows_and_what_it_cost_the_model() -> None:
    cache = cache_of()
    result = await kept(cache)
    assert result == KnownResult(SPOKEN, (1,), SPOKEN.audio_seconds / 10)
    assert await cache.hit("a", NO_DIRECTIVES) == Hit(result, age=0, seconds_left=60)
    assert await cache.hit("b", NO_DIRECTIVES) is None


async def test_what_another_version_kept_is_nothing() -> None:
    store = MemoryStore(1024**2, 60)
    model = ServedModel(RuntimeConfig(model="base"), MULTILINGUAL)
    cache = ResultCache(store, store, model, FakeEngine(), CacheMetrics(CollectorRegistry(), float), is_shared=False)
    await store.put("a", b'{"text": "words"}')
    assert await cache.hit("a", NO_DIRECTIVES) is None


async def test_directives_may_not_take_it() -> None:
    cache = cache_of()
    await kept(cache)
    assert await cache.hit("a", CacheDirectives(no_cache=True)) is None


async def test_a_sampled_one_is_not_kept() -> None:
    cache = cache_of()
    await kept(cache, replace(SPOKEN, is_sampled=True))
    assert await cache.hit("a", NO_DIRECTIVES) is None


async def test_a_flight_is_there_until_its_result_is_kept() -> None:
    cache, outcome = cache_of(), asyncio.get_running_loop().create_future()

    async def work(flight: Flight) -> Transcription:
        return await outcome

    flight = cache.begin("a", work)
    assert cache.flight("a") is flight
    joined = asyncio.create_task(flight.join())
    outcome.set_result(SPOKEN)
    while cache.flight("a"):
        assert await cache.hit("a", NO_DIRECTIVES) is None or not joined.done()
        await asyncio.sleep(0)
    assert await cache.hit("a", NO_DIRECTIVES)
    await joined


async def test_the_newest_flight_is_the_one_to_join_until_it_ends() -> None:
    cache = cache_of()
    outcomes = [asyncio.get_running_loop().create_future() for _ in range(2)]

    async def first(_flight: Flight) -> Transcription:
        return await outcomes[0]

    async def second(_flight: Flight) -> Transcription:
        return await outcomes[1]

    older, newer = cache.begin("a", first), cache.begin("a", second)
    outcomes[0].set_result(SPOKEN)
    await older.join()
    assert cache.flight("a") is newer
    outcomes[1].set_result(SPOKEN)
    await newer.join()
    assert cache.flight("a") is None


async def test_an_upload_is_known_once_it_is_decoded() -> None:
    cache, audio = cache_of(), KnownAudio("a" * 64, None)
    assert await cache.audio("upload") is None
    await cache.keep_audio("upload", audio)
    assert await cache.audio("upload") == audio


async def test_one_decodes_an_upload_after_the_other_and_others_meanwhile() -> None:
    cache, order = cache_of(), list[str]()

    async def decode(upload: str | None, name: str, may_end: asyncio.Event) -> None:
        async with cache.decoding(upload):
            order.append(f"{name} begins")
            await may_end.wait()
            order.append(f"{name} ends")

    first_may_end, free = asyncio.Event(), asyncio.Event()
    free.set()
    first = asyncio.create_task(decode("a", "first", first_may_end))
    second = asyncio.create_task(decode("a", "second", free))
    await asyncio.sleep(0)
    await decode("b", "other", free)
    await decode(None, "unknown", free)
    first_may_end.set()
    await asyncio.gather(first, second)
    assert order == [
        *("first begins", "other begins", "other ends", "unknown begins", "unknown ends"),
        *("first ends", "second begins", "second ends"),
    ]


@pytest.mark.parametrize("is_shared", [False, True])
def test_whose_results_a_client_gets(is_shared: bool) -> None:
    cache = cache_of(is_shared=is_shared)
    assert (cache.owner("key alice") == cache.owner("key bob")) is is_shared


class PlannedTurns:
    """A PodTurns: another pod has come to what is planned; None: it is this pod's turn."""

    def __init__(self, planned: Hit | None) -> None:
        self.planned = planned
        self.kept_in_turn: Hit | None = None
        self.turns = 0

    @asynccontextmanager
    async def turn(self, key: str, find: FindResult) -> AsyncGenerator[Hit | None]:
        self.turns += 1
        yield self.planned
        self.kept_in_turn = await find()


async def spoken(flight: Flight) -> Transcription:
    flight.on_segments(SPOKEN.segments)
    await asyncio.sleep(0)
    return SPOKEN


async def test_what_another_pod_came_to_is_taken_and_nothing_is_run() -> None:
    let_go: list[str] = []
    result = KnownResult(SPOKEN, (1,), 0.5)
    cache = cache_of(turns=PlannedTurns(Hit(result, 0.0, 60.0)))
    windows: list[int] = []

    async def never(_: Flight) -> Transcription:
        raise AssertionError

    flight = cache.begin_in_turn("a", never, lambda: let_go.append("all"), NO_DIRECTIVES)
    assert await flight.join(lambda window: windows.append(len(window))) == result
    assert (flight.is_anothers, windows, let_go) == (True, [1], ["all"])
    assert cache.flight("a") is None


async def test_a_turn_lasts_until_the_result_is_kept() -> None:
    turns = PlannedTurns(None)
    flight = cache_of(turns=turns).begin_in_turn("a", spoken, lambda: None, NO_DIRECTIVES)
    result = await flight.join()
    assert turns.kept_in_turn == Hit(result, 0.0, 60.0)
    assert not flight.is_anothers


async def test_who_takes_no_result_that_was_begun_before_waits_for_no_pod() -> None:
    turns = PlannedTurns(None)
    await cache_of(turns=turns).begin_in_turn("a", spoken, lambda: None, CacheDirectives(no_cache=True)).join()
    assert turns.turns == 0
