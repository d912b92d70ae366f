"""Of pods that are asked for the same at the same time, one runs the model; if that ends, another one does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from testbed.store_server import StoreServer
from tests.fakes.engine import SPOKEN
from tests.runtime.service.shared.conftest import PREFIX, OpenShared, until
from whisper_runtime.service.result_cache.content import Hit, KnownResult
from whisper_runtime.service.shared.shared_flights import SharedFlights

HIT = Hit(KnownResult(SPOKEN, (1,), 0.5), 0.0, 60.0)
SECONDS = 60


class Pods:
    """Two pods, and the result of what one of them runs."""

    def __init__(self, one: SharedFlights, other: SharedFlights) -> None:
        self.one, self.other = one, other
        self.found: Hit | None = None
        self.running = 0
        self.most_running = 0
        self.runs = 0

    async def find(self) -> Hit | None:
        return self.found

    async def run(self, pod: SharedFlights, work: Callable[[], Awaitable[None]], key: str = "a") -> Hit | None:
        """What another pod came to; None: this one has run the model, which is `work`."""
        async with pod.turn(key, self.find) as found:
            if found is not None:
                return found
            self.runs += 1
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            try:
                await work()
            finally:
                self.running -= 1
            return None


@pytest.fixture
async def pods(server: StoreServer, open_store: OpenShared) -> Pods:
    stores = [open_store(server.url) for _ in range(2)]
    for store in stores:
        await until(store, "StoreInUse")
    one, other = (SharedFlights(store, PREFIX, lease_seconds=0.5) for store in stores)
    return Pods(one, other)


async def test_who_comes_second_waits_for_the_result_of_the_first(pods: Pods) -> None:
    ends, begun = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await ends.wait()
        pods.found = HIT

    first = asyncio.create_task(pods.run(pods.one, work))
    await begun.wait()
    second = asyncio.create_task(pods.run(pods.other, work))
    await asyncio.wait([second], timeout=1.5)  # three leases: they are renewed
    assert not second.done()
    ends.set()
    assert await asyncio.wait_for(second, SECONDS) is HIT
    assert await first is None
    assert pods.runs == 1


async def test_other_results_are_other_turns(pods: Pods) -> None:
    async def inner() -> None:
        await pods.run(pods.other, nothing, key="b")

    await asyncio.wait_for(pods.run(pods.one, inner), SECONDS)
    assert pods.most_running == 2


async def nothing() -> None:
    pass


async def test_a_run_that_fails_or_is_cancelled_is_anothers_turn(pods: Pods) -> None:
    begun = asyncio.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    first = asyncio.create_task(pods.run(pods.one, endless))
    await begun.wait()
    second = asyncio.create_task(pods.run(pods.other, nothing))
    first.cancel()
    assert await asyncio.wait_for(second, SECONDS) is None
    assert (pods.runs, pods.most_running) == (2, 1)


async def test_a_pod_that_dies_loses_its_turn_with_its_lease(pods: Pods, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    async def silent(*_: object) -> bool:
        return False

    first = asyncio.create_task(pods.run(pods.one, endless))
    await begun.wait()
    monkeypatch.setattr(pods.one, "_take", silent)  # as of a process that is gone
    assert await asyncio.wait_for(pods.run(pods.other, nothing), SECONDS) is None
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first


async def test_while_the_store_is_away_each_pod_runs_by_itself(pods: Pods, server: StoreServer) -> None:
    server.kill()

    async def inner() -> None:
        await pods.run(pods.other, nothing)

    assert await asyncio.wait_for(pods.run(pods.one, inner), SECONDS) is None
    assert pods.most_running == 2


async def test_a_result_that_came_since_the_callers_look_is_taken(pods: Pods) -> None:
    pods.found = HIT
    assert await pods.run(pods.one, nothing) is HIT
    assert pods.runs == 0
