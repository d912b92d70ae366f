"""Requests wait for a server, and clients take turns."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack

import pytest

from tests.fakes.front_servers import load_report
from whisper_runtime.errors import HttpError
from whisper_runtime.front.servers import MOST_TAKING, REST_SECONDS, RequestWork, ServerAddress
from whisper_runtime.front.turnstile import HeldRequest, Turnstile

A, B = ServerAddress("a", 1), ServerAddress("b", 1)


@pytest.fixture
def now() -> list[float]:
    """The time by the clock, in its only element."""
    return [0.0]


@pytest.fixture
def turnstile(now: list[float]) -> Turnstile:
    return Turnstile(lambda: now[0])


@pytest.fixture
def held() -> Generator[ExitStack]:
    """Ends all requests that are entered in it."""
    with ExitStack() as stack:
        yield stack


def ready(turnstile: Turnstile, *addresses: ServerAddress) -> None:
    """These servers are ready, with rows for all requests."""
    for address in addresses:
        turnstile.note_load(address, load_report(), asked=0.0)


def enter(held: ExitStack, entered: AbstractContextManager[HeldRequest]) -> HeldRequest:
    return held.enter_context(entered)


async def test_a_request_waits_until_a_server_is_ready(turnstile: Turnstile, held: ExitStack) -> None:
    request = enter(held, turnstile.enter(RequestWork("client", 1.0)))
    assert not request.let_go.done()
    ready(turnstile, A)
    assert request.server.address == A


async def test_clients_take_turns_in_the_order_in_which_they_came(turnstile: Turnstile, held: ExitStack) -> None:
    """Given a server that takes one body less than wait, so that each that is sent lets one more go."""
    waiting = [enter(held, turnstile.enter(RequestWork(client, 1.0))) for client in ["a"] * 9 + ["b"] * 2]
    ready(turnstile, A)
    let_go = [one.work.client for one in waiting if one.let_go.done()]
    assert (len(let_go), let_go.count("b")) == (MOST_TAKING, 2)
    assert [one.let_go.done() for one in waiting[:9]] == [True] * 6 + [False] * 3


async def test_the_next_is_let_go_when_a_body_is_sent_not_when_it_is_answered(
    turnstile: Turnstile, held: ExitStack
) -> None:
    ready(turnstile, A)
    first, *_, last = [enter(held, turnstile.enter(RequestWork("client", 1.0))) for _ in range(MOST_TAKING + 1)]
    assert not last.let_go.done()
    first.sent()
    first.sent()  # more than once is once
    assert len(last.server.work) == MOST_TAKING + 1
    assert last.server.taking == MOST_TAKING


async def test_the_server_with_the_fewest_gets_the_next(turnstile: Turnstile, held: ExitStack) -> None:
    ready(turnstile, A, B)
    got = [enter(held, turnstile.enter(RequestWork("client", 1.0))).server.address for _ in range(4)]
    assert sorted(got) == [A, A, B, B]


async def test_a_client_with_long_recordings_waits_for_others_with_short_ones(
    turnstile: Turnstile, held: ExitStack
) -> None:
    """Given eight places and more requests of both, of which one has recordings three times as long."""
    for client, seconds in (("long", 30.0), ("short", 10.0)):
        for _ in range(8):
            enter(held, turnstile.enter(RequestWork(client, seconds)))
    ready(turnstile, A)
    (server,) = turnstile.servers
    assert [one.client for one in server.work].count("short") == 6


async def test_what_takes_no_row_is_not_behind_recordings(turnstile: Turnstile, held: ExitStack) -> None:
    turnstile.note_load(A, load_report(free_rows=0, queued_audio_seconds=1000.0), asked=0.0)
    recording = enter(held, turnstile.enter(RequestWork("client", 1.0)))
    question = enter(held, turnstile.enter(RequestWork("client")))
    assert (recording.let_go.done(), question.let_go.done()) == (False, True)


async def test_the_next_is_let_go_when_one_that_had_the_only_row_has_ended(
    turnstile: Turnstile, held: ExitStack
) -> None:
    turnstile.note_load(A, load_report(free_rows=1, speed=0.1), asked=0.0)
    with turnstile.enter(RequestWork("client", 1.0)) as first:
        first.sent()
        enter(held, turnstile.enter(RequestWork("client", 1.0))).sent()  # to wait there for its row
        waits = enter(held, turnstile.enter(RequestWork("client", 1.0)))
        assert not waits.let_go.done()
    assert waits.let_go.done()


async def test_a_request_that_ends_while_it_waits_is_out_of_the_queue(turnstile: Turnstile, held: ExitStack) -> None:
    with turnstile.enter(RequestWork("client", 1.0)):
        pass
    assert turnstile.waiting_requests == 0
    ready(turnstile, A)
    assert len(enter(held, turnstile.enter(RequestWork("client", 1.0))).server.work) == 1


async def test_a_request_that_ends_gives_its_server_back(turnstile: Turnstile) -> None:
    ready(turnstile, A)
    with turnstile.enter(RequestWork("client", 1.0)) as held:
        server = held.server
    assert (server.work, server.taking) == ([], 0)


async def test_a_server_that_rests_is_given_nothing_until_the_look_after(
    turnstile: Turnstile, held: ExitStack, now: list[float]
) -> None:
    ready(turnstile, A)
    turnstile.rest(enter(held, turnstile.enter(RequestWork("client", 1.0))).server)
    waits = enter(held, turnstile.enter(RequestWork("client", 1.0)))
    ready(turnstile, A)
    assert not waits.let_go.done()
    now[0] += REST_SECONDS
    ready(turnstile, A)
    assert waits.server.address == A


async def test_a_request_goes_to_no_server_that_has_refused_it_and_holds_nobody_up(
    turnstile: Turnstile, held: ExitStack
) -> None:
    ready(turnstile, A)
    refused = enter(held, turnstile.enter(RequestWork("client", 1.0, {A})))
    assert enter(held, turnstile.enter(RequestWork("other", 1.0))).server.address == A
    ready(turnstile, A, B)
    assert refused.server.address == B


async def test_a_server_that_is_not_ready_any_more_keeps_what_it_has(turnstile: Turnstile, held: ExitStack) -> None:
    ready(turnstile, A)
    before = enter(held, turnstile.enter(RequestWork("client", 1.0))).server
    turnstile.note_gone(A)
    assert turnstile.ready_servers == 0
    assert not enter(held, turnstile.enter(RequestWork("client", 1.0))).let_go.done()
    ready(turnstile, A)
    assert len(before.work) == 2, "it is known again, with what it has"


async def test_whether_there_are_others(turnstile: Turnstile) -> None:
    ready(turnstile, A)
    assert not turnstile.others({A})
    ready(turnstile, A, B)
    assert turnstile.others({A})
    turnstile.note_gone(B)
    assert not turnstile.others({A})


async def test_a_front_that_ends_refuses_those_that_wait_and_those_that_come(
    turnstile: Turnstile, held: ExitStack
) -> None:
    waits = enter(held, turnstile.enter(RequestWork("client", 1.0)))
    turnstile.close()
    assert isinstance(waits.let_go.exception(), HttpError)
    with pytest.raises(HttpError) as refused, turnstile.enter(RequestWork("client", 1.0)):
        pass
    assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "1"})
