"""Which server is given the next request."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.front_servers import load_report
from whisper_runtime.front.servers import (
    MOST_TAKING,
    QUEUED_AHEAD_SECONDS,
    KnownServer,
    RequestWork,
    ServerAddress,
    chosen_server,
    parse_servers,
)

A, B = ServerAddress("a", 1), ServerAddress("b", 1)
SPEED = 40.0
AHEAD = SPEED * QUEUED_AHEAD_SECONDS
"""Seconds of audio that may wait at a server of that speed."""


def server(address: ServerAddress = A, **load: Any) -> KnownServer:
    """A server that has said that much of its load at the time 1; it has one row unless it said so."""
    known = KnownServer(address)
    known.report(load_report(**({"free_rows": 1, "speed": SPEED} | load)), 1.0)
    return known


def clip(seconds: float | None = 30.0, client: str = "client", **work: Any) -> RequestWork:
    return RequestWork(client, seconds, **work)


def test_the_one_at_which_the_least_audio_waits_is_chosen() -> None:
    full = server(A, free_rows=0, queued_audio_seconds=4.0)
    assert chosen_server([full, less := server(B, free_rows=0, queued_audio_seconds=3.0)], clip(), 1.0) is less


def test_of_those_where_none_waits_the_one_with_the_most_rows_then_with_the_fewest_of_ours() -> None:
    few, many = server(A), server(B, free_rows=2)
    assert chosen_server([few, many], clip(), 1.0) is many
    many.give(clip(None))
    few.report(load_report(free_rows=2), 2.0)
    assert chosen_server([many, few], clip(), 1.0) is few


@pytest.mark.parametrize(
    "busy",
    [
        KnownServer(A),
        server(is_ready=False),
        server(free_rows=0, queued_audio_seconds=AHEAD),
    ],
)
def test_one_that_has_nothing_left_is_not(busy: KnownServer) -> None:
    busy.work.append(clip(arrived=0.0))
    assert chosen_server([busy], clip(), 1.0) is None
    assert chosen_server([busy, other := server(B)], clip(), 1.0) is other


def test_one_that_takes_bodies_or_rests_is_not() -> None:
    busy = server(free_rows=64)
    for _ in range(MOST_TAKING):
        busy.give(clip())
    assert chosen_server([busy], clip(), 1.0) is None
    busy.work[0].arrived = 1.0
    assert chosen_server([busy], clip(), 1.0) is busy
    busy.rests_until = 1.5
    assert chosen_server([busy], clip(), 1.4) is None
    assert chosen_server([busy], clip(), 1.5) is busy


def test_what_takes_no_row_goes_to_one_that_is_full() -> None:
    assert chosen_server([full := server(free_rows=0, queued_audio_seconds=900.0)], clip(None), 1.0) is full


def test_the_first_request_of_a_client_is_sent_where_others_wait_as_long_as_half_of_the_queue_is_free() -> None:
    busy = server(free_rows=0, queued_audio_seconds=899.0)
    busy.work.append(clip())
    assert chosen_server([busy], clip(client="another"), 1.0) is busy
    assert chosen_server([busy], clip(), 1.0) is None
    busy.report(load_report(free_rows=0, queued_audio_seconds=900.0), 2.0)
    assert chosen_server([busy], clip(client="another"), 1.0) is None


def test_a_long_recording_waits_for_a_row_at_the_front_lest_it_fills_the_queue() -> None:
    busy = server(free_rows=0)
    busy.work.append(clip())
    assert chosen_server([busy], clip(901.0), 1.0) is None
    assert chosen_server([busy], clip(900.0), 1.0) is busy
    busy.report(load_report(free_rows=1), 2.0)
    assert chosen_server([busy], clip(901.0), 1.0) is busy


def test_one_that_has_refused_the_request_is_not_asked_again() -> None:
    assert chosen_server([server()], clip(but={A}), 1.0) is None


def test_what_it_was_given_since_its_report_counts_until_one_can_have_counted_it() -> None:
    known = server(free_rows=1)
    first, second = clip(30.0), clip(20.0)
    known.give(first)
    known.give(second)
    assert (known.free_rows, known.queued) == (0, 20.0)
    first.arrived = 2.0
    known.report(load_report(free_rows=1), asked=1.9)
    assert (known.free_rows, known.queued) == (0, 20.0), "neither was there when it was asked"
    known.report(load_report(free_rows=0), asked=2.1)
    assert (known.free_rows, known.queued) == (0, 20.0), "the second one is on its way"
    second.arrived = 3.0
    known.report(load_report(free_rows=0, queued_audio_seconds=20.0), asked=3.1)
    assert (known.free_rows, known.queued) == (0, 20.0), "it counts once"


def test_what_has_ended_makes_room_before_the_next_report() -> None:
    known = server(free_rows=1)
    works = [clip(30.0), clip(20.0)]
    for one in works:
        known.give(one)
    known.end(works[0])
    assert (known.free_rows, known.queued) == (0, 0.0), "the second one has its row"
    known.end(works[1])
    assert (known.free_rows, known.work) == (1, [])


def test_the_setting_names_one_or_several_and_where_else_they_answer_the_cluster() -> None:
    assert parse_servers("speech-servers.team.svc:8000") == (ServerAddress("speech-servers.team.svc", 8000, 9000),)
    assert parse_servers("a:1,b:1:2") == (A, ServerAddress("b", 1, 2))


@pytest.mark.parametrize(("host", "written"), [("10.0.0.1", "10.0.0.1:80"), ("fd00::1", "[fd00::1]:80")])
def test_an_address_is_written_as_urls_have_it(host: str, written: str) -> None:
    assert ServerAddress(host, 80).authority == written
    assert ServerAddress(host, 1, 80).cluster_authority == written
