"""The store's buckets are TokenBuckets; what is stored names no client, and ends by itself."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from redis import Redis

from testbed.store_server import PASSWORD, USER, StoreServer
from tests.runtime.service.shared.conftest import PREFIX
from whisper_runtime.service.rate_limits import RateLimits
from whisper_runtime.service.shared.bucket_program import TokensLeft, key_of, taking, tokens_left
from whisper_runtime.service.shared.program_call import ProgramCall

KEY = key_of(PREFIX, "address 192.0.2.7")
LIMITS = RateLimits(10, 60)


@pytest.fixture
def client(server: StoreServer) -> Iterator[Redis]:
    with Redis(port=server.port, username=USER, password=PASSWORD, protocol=2) as opened:
        yield opened


def run(client: Redis, call: ProgramCall) -> TokensLeft:
    return tokens_left(client.eval(call.program, len(call.keys), *call.keys, *call.arguments))


def take(client: Redis, limits: RateLimits = LIMITS, *, decides: bool = False, **tokens: float) -> TokensLeft:
    return run(client, taking(KEY, limits, decides=decides, **tokens))


def test_a_client_that_is_not_known_has_all(client: Redis) -> None:
    assert take(client) == TokensLeft(None, 10, 3600)


def test_requests_are_refused_once_there_are_no_more_and_refused_ones_cost_nothing(client: Redis) -> None:
    outcomes = [take(client, requests=1, decides=True) for _ in range(13)]
    assert [one.exhausted for one in outcomes] == [None] * 10 + ["requests"] * 3
    assert 0 <= outcomes[-1].requests < 1
    assert outcomes[-1].requests >= outcomes[-2].requests


def test_audio_may_go_below_zero_and_then_no_request_is_taken(client: Redis) -> None:
    assert take(client, audio_seconds=3700).audio_seconds == pytest.approx(-100, abs=30)
    found = take(client, requests=1, decides=True)
    assert (found.exhausted, found.requests) == ("audio", 10)


def test_what_is_given_back_fills_no_bucket_over_its_brim(client: Redis) -> None:
    take(client, requests=1, audio_seconds=30)
    assert take(client, requests=-5, audio_seconds=-500) == TokensLeft(None, 10, 3600)


def test_a_limit_that_comes_later_begins_full(client: Redis) -> None:
    only_requests, both = RateLimits(10, None), RateLimits(10, 1)
    assert take(client, only_requests, requests=1, audio_seconds=500).audio_seconds == 0
    assert take(client, both).audio_seconds == 60


def test_a_bucket_fills_up_by_the_servers_clock(client: Redis, server: StoreServer) -> None:
    take(client, requests=10)
    seconds, microseconds = server.ask("TIME")
    server.ask("HSET", KEY, "at", str(int(seconds) + int(microseconds) / 1e6 - 30))
    assert take(client).requests == pytest.approx(5, abs=0.5)


def test_a_clock_that_is_set_back_takes_nothing_away(client: Redis, server: StoreServer) -> None:
    take(client, requests=4)
    server.ask("HSET", KEY, "at", str(int(server.ask("TIME")[0]) + 1e6))
    assert take(client).requests == pytest.approx(6, abs=0.01)


def test_a_key_lives_until_all_is_full_again(client: Redis, server: StoreServer) -> None:
    take(client, requests=5)
    assert 0 < server.ask("TTL", KEY) <= 30
    take(client, audio_seconds=1800)
    assert 30 < server.ask("TTL", KEY) <= 1800
    take(client, audio_seconds=3600)
    assert 3600 < server.ask("TTL", KEY) <= 5400


def test_a_refused_request_writes_nothing(client: Redis, server: StoreServer) -> None:
    take(client, RateLimits(1, None), requests=1)
    before = server.ask("HGETALL", KEY)
    take(client, RateLimits(1, None), requests=1, decides=True)
    assert server.ask("HGETALL", KEY) == before


def test_nothing_of_a_client_is_stored(client: Redis, server: StoreServer) -> None:
    take(client, requests=1)
    (key,) = server.ask("KEYS", "*")
    assert key.startswith(b"whisper:{team/speech}:rates:")
    stored = {name: float(value) for name, value in server.ask("HGETALL", key).items()}
    assert set(stored) == {b"requests", b"audio", b"at"}
    assert b"192.0.2.7" not in key


def test_two_clients_and_two_services_have_keys_of_their_own() -> None:
    assert len({key_of("a/b", "alice"), key_of("a/b", "bob"), key_of("a/c", "alice")}) == 3


def test_a_reply_has_all_digits() -> None:
    assert tokens_left([1, b"0.99999999999999989", b"-0.1"]) == TokensLeft("requests", math.nextafter(1, 0), -0.1)
