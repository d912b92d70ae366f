from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from testbed.store_server import StoreProgram, StoreServer, running
from tests.support.waiting import eventually_async
from whisper_runtime.metrics.served import Metrics
from whisper_runtime.service.rate_limits import RateLimits
from whisper_runtime.service.shared.bucket_program import key_of, taking
from whisper_runtime.service.shared.shared_store import SharedStore
from whisper_runtime.service.shared.store_metrics import StoreMetrics

PREFIX = "team/speech"
OpenShared = Callable[..., SharedStore]


@pytest.fixture(params=["valkey", "redis"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreServer]:
    program: StoreProgram = request.param
    with running(program, tmp_path / "server") as found:
        yield found


@pytest.fixture
async def open_store(tmp_path: Path) -> AsyncIterator[OpenShared]:
    """Opens a store by a URL's file and keeps it, until the test ends.

    `waits` is long by default, so that a machine without a free processor does not look like a store that is away.
    """
    kept: list[asyncio.Task[None]] = []

    def opened(
        url: str | None,
        ca_file: str | None = None,
        metrics: Metrics | None = None,
        waits: Sequence[float] = (30.0,),
    ) -> SharedStore:
        file = tmp_path / "url"
        if url is not None:
            file.write_text(f"{url}\n")
        trials = [taking(key_of(PREFIX, "(trial)"), RateLimits(None, None), decides=False)]
        counted = StoreMetrics((metrics or Metrics("base")).registry)
        store = SharedStore(str(file), ca_file, PREFIX, trials, counted, waits=waits, pauses=(0.05,))
        kept.append(asyncio.create_task(store.keep()))
        return store

    yield opened
    for task in kept:
        task.cancel()
    await asyncio.gather(*kept, return_exceptions=True)


async def until(store: SharedStore, reason: str) -> str:
    """The message of the store's report, once it has that reason."""
    await eventually_async(f"the store's report is {reason}", lambda: store.report.reason == reason)
    return store.report.message
