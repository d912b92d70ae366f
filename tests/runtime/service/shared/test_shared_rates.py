"""A limit counts once for all pods; while the store is away each pod counts for itself, and nobody is shut out."""

from __future__ import annotations

import asyncio

import pytest

from testbed.store_server import StoreServer
from tests.runtime.service.shared.conftest import PREFIX, OpenShared, until
from tests.support.waiting import eventually_async
from whisper_runtime.errors import HttpError
from whisper_runtime.service.rate_limits import RateLimits
from whisper_runtime.service.shared.shared_rates import MOST_ON_THEIR_WAY, SharedRates
from whisper_runtime.service.shared.shared_store import WAITS_SECONDS

REQUESTS = "x-ratelimit-remaining-requests"
AUDIO = "x-ratelimit-remaining-audio-seconds"


@pytest.fixture
async def pods(server: StoreServer, open_store: OpenShared) -> list[SharedRates]:
    """Two pods whose clients may send ten requests in a minute and an hour of audio in an hour."""
    stores = [open_store(server.url) for _ in range(2)]
    for store in stores:
        await until(store, "StoreInUse")
    return [SharedRates(RateLimits(10, 60), store, PREFIX) for store in stores]


async def charge(pod: SharedRates, client: str = "alice") -> int:
    """The status that a request gets."""
    try:
        await pod.charge_request(client)
    except HttpError as error:
        return error.status_code
    return 200


async def test_a_burst_at_two_pods_gets_no_more_than_one_pod_would_give(pods: list[SharedRates]) -> None:
    statuses = await asyncio.gather(*(charge(pods[number % 2]) for number in range(60)))
    assert sorted(statuses) == [200] * 10 + [429] * 50
    assert await charge(pods[0], "bob") == 200


async def test_each_pod_says_what_is_left_of_both(pods: list[SharedRates]) -> None:
    await charge(pods[0])
    await charge(pods[1])
    assert pods[1].headers("alice")[REQUESTS] == "8"
    pods[0].charge_audio("alice", 600)
    await pods[0].settle("alice")
    await charge(pods[1])
    assert pods[1].headers("alice")[REQUESTS] == "7"
    assert float(pods[1].headers("alice")[AUDIO]) == pytest.approx(3000, abs=30)


async def test_audio_that_one_pod_took_keeps_the_client_from_the_other(pods: list[SharedRates]) -> None:
    pods[0].charge_audio("alice", 3900)
    await pods[0].settle("alice")
    with pytest.raises(HttpError) as refused:
        await pods[1].charge_request("alice")
    assert refused.value.body["code"] == "audio_exhausted"
    assert 270 < int((refused.value.headers or {})["Retry-After"]) <= 301
    pods[0].return_audio("alice", 3900)
    await pods[0].settle("alice")
    assert await charge(pods[1]) == 200


async def test_a_request_that_is_returned_can_be_sent_to_the_other_pod_at_once(pods: list[SharedRates]) -> None:
    for _ in range(10):
        await charge(pods[0])
    pods[0].return_request("alice")
    await pods[0].settle("alice")
    assert [await charge(pods[1]) for _ in range(2)] == [200, 429]


async def test_while_the_store_is_away_each_pod_counts_for_itself_from_what_it_knew(
    pods: list[SharedRates], server: StoreServer
) -> None:
    for _ in range(4):
        await charge(pods[0])
    server.kill()
    assert [await charge(pods[0]) for _ in range(7)] == [200] * 6 + [429]
    assert [await charge(pods[1]) for _ in range(11)] == [200] * 10 + [429]
    pods[0].charge_audio("alice", 60)
    pods[0].return_request("alice")
    await pods[0].settle("alice")
    assert await charge(pods[0]) == 200
    assert await charge(pods[0], "bob") == 200


async def test_a_store_that_does_not_answer_shuts_nobody_out(server: StoreServer, open_store: OpenShared) -> None:
    await until(store := open_store(server.url, waits=WAITS_SECONDS), "StoreInUse")
    pod = SharedRates(RateLimits(10, 60), store, PREFIX)
    server.pause()
    statuses = await asyncio.gather(*(charge(pod) for _ in range(20)))
    assert sorted(statuses) == [200] * 10 + [429] * 10
    server.resume()


async def test_once_the_store_is_back_it_counts_for_all_again(server: StoreServer, open_store: OpenShared) -> None:
    stores = [open_store(server.url) for _ in range(2)]
    pods = [SharedRates(RateLimits(10, None), store, PREFIX) for store in stores]
    for store in stores:
        await until(store, "StoreInUse")
    server.kill()
    assert [await charge(pod) for pod in pods] == [200, 200]
    server.start()
    await eventually_async("both pods use it", lambda: all(store.is_used for store in stores))
    statuses = await asyncio.gather(*(charge(pods[number % 2]) for number in range(30)))
    assert sorted(statuses) == [200] * 10 + [429] * 20


async def test_what_waits_for_the_store_is_bounded_and_counts_for_the_pod_beyond(
    pods: list[SharedRates], server: StoreServer
) -> None:
    for _ in range(MOST_ON_THEIR_WAY + 10):
        pods[0].charge_audio("alice", 1)
    await pods[0].settle("alice")
    pods[0].charge_audio("bob", 1)
    await pods[0].settle("bob")
    assert pods[0].headers("bob")[AUDIO] == "3599"
