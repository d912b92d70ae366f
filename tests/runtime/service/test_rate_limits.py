"""Requests in a minute, and audio in an hour, for each client."""

from __future__ import annotations

import pytest

from whisper_runtime.errors import HttpError
from whisper_runtime.service.client_identity import MAX_CLIENTS
from whisper_runtime.service.rate_limits import RATE_HEADERS, RateLimits, TokenBuckets


class ManualClock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_a_bucket_fills_up_steadily(clock: ManualClock) -> None:
    buckets = TokenBuckets(10, 60, clock)
    for _ in range(10):
        buckets.take("alice", 1)
    assert buckets.left("alice") == 0
    assert buckets.seconds_until("alice", 1) == pytest.approx(6)
    clock.now += 6
    assert buckets.left("alice") == pytest.approx(1)
    clock.now += 3600
    assert buckets.left("alice") == 10
    assert buckets.left("bob") == 10


def test_the_number_of_clients_that_are_remembered_is_bounded(clock: ManualClock) -> None:
    buckets = TokenBuckets(10, 60, clock)
    for number in range(MAX_CLIENTS + 1):
        buckets.take(str(number), 5)
    assert buckets.left("0") == 10  # forgotten
    assert buckets.left("1") == 5


async def test_the_last_recording_may_take_more_than_is_left_and_the_next_waits_for_it(clock: ManualClock) -> None:
    rates = RateLimits(None, 10, clock)
    rates.charge_audio("alice", 599)
    await rates.charge_request("alice")
    rates.charge_audio("alice", 300)
    with pytest.raises(HttpError) as refused:
        await rates.charge_request("alice")
    error = refused.value
    assert (error.status_code, error.body["code"]) == (429, "audio_exhausted")
    assert error.headers == {"Retry-After": str(300 * 6)}
    clock.now += 300 * 6
    await rates.charge_request("alice")


async def test_a_request_that_is_refused_is_not_counted(clock: ManualClock) -> None:
    rates = RateLimits(1, None, clock)
    await rates.charge_request("alice")
    for _ in range(2):
        with pytest.raises(HttpError) as refused:
            await rates.charge_request("alice")
        assert refused.value.headers == {"Retry-After": "60"}
    await rates.charge_request("bob")


async def test_headers_say_what_is_left_of_each_limit(clock: ManualClock) -> None:
    rates = RateLimits(2, 1, clock)
    await rates.charge_request("alice")
    rates.charge_audio("alice", 10)
    assert rates.headers("alice") == {
        "x-ratelimit-limit-requests": "2",
        "x-ratelimit-remaining-requests": "1",
        "x-ratelimit-reset-requests": "30s",
        "x-ratelimit-limit-audio-seconds": "60",
        "x-ratelimit-remaining-audio-seconds": "50",
        "x-ratelimit-reset-audio-seconds": "600s",
    }
    assert rates.headers("alice").keys() == set(RATE_HEADERS)
    assert RateLimits(None, None, clock).headers("alice") == {}
