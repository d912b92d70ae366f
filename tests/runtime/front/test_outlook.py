"""What the operator says counts for as long as it is renewed, and reaches requests that wait already."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.front_servers import load_report
from whisper_runtime.contract.front import WakeForecast
from whisper_runtime.errors import HttpError
from whisper_runtime.front.demand import DemandCounter
from whisper_runtime.front.outlook import LAPSES_SECONDS, UNKNOWN, Outlook
from whisper_runtime.front.servers import RequestWork, ServerAddress
from whisper_runtime.front.turnstile import Turnstile

CANNOT = WakeForecast(cannot_come="The image cannot be pulled.")
CLIP = RequestWork("client", 30.0)


@pytest.fixture
def now() -> list[float]:
    """The time by the clock, in its only element."""
    return [1000.0]


@pytest.fixture
def turnstile() -> Turnstile:
    return Turnstile()


@pytest.fixture
def demand(now: list[float]) -> DemandCounter:
    return DemandCounter(lambda: now[0])


@pytest.fixture
def outlook(turnstile: Turnstile, demand: DemandCounter, now: list[float]) -> Outlook:
    return Outlook(turnstile, demand, 300, lambda: now[0])


async def test_before_anything_is_known_requests_wait(outlook: Outlook) -> None:
    outlook.check(CLIP)


async def test_a_forecast_ages_and_lapses(outlook: Outlook, now: list[float]) -> None:
    outlook.note(WakeForecast(expected_seconds=20))
    now[0] += LAPSES_SECONDS
    assert outlook.forecast.expected_seconds == 20 - LAPSES_SECONDS
    now[0] += 0.1
    assert outlook.forecast == UNKNOWN


async def test_what_waits_here_keeps_one_server_busy(outlook: Outlook, turnstile: Turnstile, now: list[float]) -> None:
    with turnstile.enter(RequestWork("client", 60.0)):
        assert (outlook.held_audio, outlook.held_wait) == (60, 0), "nobody knows how fast a server is"
        outlook.note(WakeForecast(audio_speed=3))
        assert outlook.held_wait == 20
        for host, speed in (("a", 10), ("b", 20)):
            full = load_report(free_rows=0, queued_audio_seconds=900.0, speed=speed)
            turnstile.note_load(ServerAddress(host, 1), full, asked=now[0])
        assert outlook.held_wait == 4, "of a server as fast as the mean"


async def test_the_newest_counts_alone(outlook: Outlook) -> None:
    outlook.note(CANNOT)
    with pytest.raises(HttpError):
        outlook.check(CLIP)
    outlook.note(WakeForecast(audio_speed=3))
    outlook.check(CLIP)


async def test_a_refusal_for_want_of_a_server_is_demand_for_one(
    outlook: Outlook, demand: DemandCounter, now: list[float]
) -> None:
    outlook.note(CANNOT)
    with pytest.raises(HttpError):
        outlook.check(CLIP)
    assert (demand.report().refused_requests, demand.report().held_requests) == (1, 0)
    now[0] += 10
    report = demand.report()
    assert (report.refused_requests, report.idle_seconds) == (0, 10)


async def test_one_for_a_full_queue_is_none(outlook: Outlook, turnstile: Turnstile, demand: DemandCounter) -> None:
    turnstile.note_load(ServerAddress("a", 1), load_report(free_rows=0, queued_audio_seconds=9_000), asked=0.0)
    with pytest.raises(HttpError) as refused:
        outlook.check(CLIP)
    assert (refused.value.status_code, demand.report().refused_requests) == (429, 0)


async def test_what_it_says_reaches_those_that_wait_at_once_from_any_thread(
    outlook: Outlook, turnstile: Turnstile, demand: DemandCounter
) -> None:
    outlook.begin()
    with turnstile.enter(CLIP) as held:
        await asyncio.to_thread(outlook.note, CANNOT)
        await asyncio.wait_for(asyncio.wait({held.let_go}), 10)
        error = held.let_go.exception()
    assert isinstance(error, HttpError)
    assert error.body["code"] == "no_server_can_come"
    assert demand.report().refused_requests == 1


async def test_of_those_that_wait_the_first_may_be_in_time_where_the_last_is_not(
    outlook: Outlook, turnstile: Turnstile, now: list[float]
) -> None:
    """Given a server that comes in 200 s, and transcribes a second of audio in a second."""
    outlook.begin()
    ends = now[0] + 300
    works = RequestWork("client", 100.0, ends=ends), RequestWork("client", 10.0, ends=ends - 1)
    with turnstile.enter(works[0]) as first, turnstile.enter(works[1]) as last:
        outlook.note(WakeForecast(expected_seconds=200, audio_speed=1))
        await asyncio.wait_for(asyncio.wait({last.let_go}), 10)
        assert isinstance(last.let_go.exception(), HttpError)
        assert not first.let_go.done()
