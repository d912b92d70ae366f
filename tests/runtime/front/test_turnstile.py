"""Requests wait for a server, and clients take turns."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, ExitStack

import pytest

from whisper_runtime.errors import HttpError
from whisper_runtime.front.servers import MOST_TAKING, REST_SECONDS, ServerAddress
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


def enter(held: ExitStack, entered: AbstractContextManager[HeldRequest]) -> HeldRequest:
    return held.enter_context(entered)


async def test_a_request_waits_until_a_server_is_ready(turnstile: Turnstile, held: ExitStack) -> None:
    request = enter(held, turnstile.enter("client"))
    assert not request.let_go.done()
    turnstile.set_ready([A])
    assert request.server.address == A


async def test_clients_take_turns_in_the_order_in_which_they_came(turnstile: Turnstile, held: ExitStack) -> None:
    """Given a server that takes one body less than wait, so that each that is sent lets one more go."""
    waiting = [enter(held, turnstile.enter(client)) for client in ["a"] * 9 + ["b"] * 2]
    turnstile.set_ready([A])
    let_go = [one.client for one in waiting if one.let_go.done()]
    assert (len(let_go), let_go.count("b")) == (MOST_TAKING, 2)
    assert [one.let_go.done() for one in waiting[:9]] == [True] * 6 + [False] * 3


async def test_the_next_is_let_go_when_a_body_is_sent_not_when_it_is_answered(
    turnstile: Turnstile, held: ExitStack
) -> None:
    turnstile.set_ready([A])
    first, *_, last = [enter(held, turnstile.enter("client")) for _ in range(MOST_TAKING + 1)]
    assert not last.let_go.done()
    first.sent()
    first.sent()  # more than once is once
    assert last.server.active == MOST_TAKING + 1
    assert last.server.taking == MOST_TAKING


async def test_the_server_with_the_fewest_gets_the_next(turnstile: Turnstile, held: ExitStack) -> None:
    turnstile.set_ready([A, B])
    got = [enter(held, turnstile.enter("client")).server.address for _ in range(4)]
    assert sorted(got) == [A, A, B, B]


async def test_a_request_that_ends_while_it_waits_is_out_of_the_queue(turnstile: Turnstile, held: ExitStack) -> None:
    with turnstile.enter("client"):
        pass
    assert turnstile.waiting_requests == 0
    turnstile.set_ready([A])
    assert enter(held, turnstile.enter("client")).server.active == 1


async def test_a_request_that_ends_gives_its_server_back(turnstile: Turnstile) -> None:
    turnstile.set_ready([A])
    with turnstile.enter("client") as held:
        server = held.server
    assert (server.active, server.taking) == (0, 0)


async def test_a_server_that_rests_is_given_nothing_until_the_look_after(
    turnstile: Turnstile, held: ExitStack, now: list[float]
) -> None:
    turnstile.set_ready([A])
    turnstile.rest(enter(held, turnstile.enter("client")).server)
    waits = enter(held, turnstile.enter("client"))
    turnstile.set_ready([A])
    assert not waits.let_go.done()
    now[0] += REST_SECONDS
    turnstile.set_ready([A])
    assert waits.server.address == A


async def test_a_request_goes_to_no_server_that_has_refused_it_and_holds_nobody_up(
    turnstile: Turnstile, held: ExitStack
) -> None:
    turnstile.set_ready([A])
    refused = enter(held, turnstile.enter("client", {A}))
    assert enter(held, turnstile.enter("other")).server.address == A
    turnstile.set_ready([A, B])
    assert refused.server.address == B


async def test_a_server_that_is_not_ready_any_more_keeps_what_it_has(turnstile: Turnstile, held: ExitStack) -> None:
    turnstile.set_ready([A])
    before = enter(held, turnstile.enter("client")).server
    turnstile.set_ready([])
    assert turnstile.ready_servers == 0
    assert not enter(held, turnstile.enter("client")).let_go.done()
    turnstile.set_ready([A])
    assert before.active == 2, "it is known again, with what it has"


async def test_whether_there_are_others(turnstile: Turnstile) -> None:
    turnstile.set_ready([A])
    assert not turnstile.others({A})
    turnstile.set_ready([A, B])
    assert turnstile.others({A})
    turnstile.set_ready([A])
    assert not turnstile.others({A})


async def test_a_front_that_ends_refuses_those_that_wait_and_those_that_come(
    turnstile: Turnstile, held: ExitStack
) -> None:
    waits = enter(held, turnstile.enter("client"))
    turnstile.close()
    assert isinstance(waits.let_go.exception(), HttpError)
    with pytest.raises(HttpError) as refused, turnstile.enter("client"):
        pass
    assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "1"})
