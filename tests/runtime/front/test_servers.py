"""Which server is given the next request."""

from __future__ import annotations

import pytest

from whisper_runtime.front.servers import MOST_TAKING, ReadyServer, ServerAddress, chosen_server, parse_servers

A, B = ServerAddress("a", 1), ServerAddress("b", 1)


def test_the_one_with_the_fewest_requests_is_chosen() -> None:
    assert chosen_server([ReadyServer(A, active=2), less := ReadyServer(B, active=1)], now=0) is less


@pytest.mark.parametrize(
    "busy",
    [
        ReadyServer(A, is_ready=False),
        ReadyServer(A, taking=MOST_TAKING),
        ReadyServer(A, rests_until=0.5),
    ],
)
def test_one_that_may_take_nothing_is_not(busy: ReadyServer) -> None:
    assert chosen_server([busy], now=0) is None
    assert chosen_server([busy, other := ReadyServer(B, active=9)], now=0) is other


def test_one_that_has_rested_is_chosen_again() -> None:
    assert chosen_server([rested := ReadyServer(A, rests_until=0.5)], now=0.5) is rested


def test_one_that_has_refused_the_request_is_not() -> None:
    assert chosen_server([ReadyServer(A)], now=0, but={A}) is None


def test_the_setting_names_one_or_several() -> None:
    assert parse_servers("speech-servers.team.svc:8000") == (ServerAddress("speech-servers.team.svc", 8000),)
    assert parse_servers("a:1,b:1") == (A, B)


@pytest.mark.parametrize(("host", "written"), [("10.0.0.1", "10.0.0.1:80"), ("fd00::1", "[fd00::1]:80")])
def test_an_address_is_written_as_urls_have_it(host: str, written: str) -> None:
    assert ServerAddress(host, 80).authority == written
