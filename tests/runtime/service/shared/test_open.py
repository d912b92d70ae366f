"""A process counts where its configuration says, under its service's name; until it is there, for itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from testbed.store_server import ALL_RIGHTS, JOBS, LIMITS, StoreServer
from tests.runtime.service.shared.conftest import until
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.errors import HttpError
from whisper_runtime.metrics.served import Metrics
from whisper_runtime.service.rate_limits import ClientRates, RateLimits
from whisper_runtime.service.result_cache.store import MemoryStore
from whisper_runtime.service.shared import open as opening
from whisper_runtime.service.shared.bucket_program import key_of
from whisper_runtime.service.shared.shared_store import SharedStore

OpenProcess = Callable[..., tuple[ClientRates, SharedStore]]


@pytest.fixture
async def open_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenProcess]:
    """Opens what a process of that configuration shares, and keeps its store until the test ends."""
    # A machine without a free processor must not look like a store that is away.
    monkeypatch.setattr(opening, "SharedStore", partial(SharedStore, waits=(30.0,), pauses=(0.05,)))
    kept: list[asyncio.Task[None]] = []

    def opened(url: str, metrics: Metrics | None = None, **fields: Any) -> tuple[ClientRates, SharedStore]:
        (tmp_path / "url").write_text(url)
        rates, store = opened_by(tmp_path, RateLimits(2, None), metrics or Metrics("base"), **fields)
        kept.append(asyncio.create_task(store.keep()))
        return rates, store

    yield opened
    for task in kept:
        task.cancel()
    await asyncio.gather(*kept, return_exceptions=True)


def opened_by(directory: Path, own: RateLimits, metrics: Metrics, **fields: Any) -> tuple[ClientRates, SharedStore]:
    config = RuntimeConfig(**fields)
    store = opening.open_store(config, str(directory / "url"), own, metrics.registry)
    return opening.shared_rates(config, own, store), store


async def charge(rates: ClientRates) -> int:
    """The status that a request of Alice gets."""
    try:
        await rates.charge_request("key alice")
    except HttpError as error:
        return error.status_code
    return 200


async def test_processes_of_one_service_share_its_limits_and_no_other_service_does(
    server: StoreServer, open_process: OpenProcess
) -> None:
    prefixes = ("team/speech", "team/speech", "team/dictation")
    opened = [open_process(server.url, redis_prefix=prefix) for prefix in prefixes]
    for _, store in opened:
        await until(store, "StoreInUse")
    (one, _), (another, _), (foreign, _) = opened
    assert [await charge(rates) for rates in (one, another, one, another)] == [200, 200, 429, 429]
    assert [await charge(foreign) for _ in range(3)] == [200, 200, 429]
    for prefix in prefixes:
        assert server.ask("EXISTS", key_of(prefix, "key alice")) == 1


async def test_until_the_store_is_reached_a_process_counts_for_itself(tmp_path: Path) -> None:
    rates, store = opened_by(tmp_path, RateLimits(2, None), Metrics("base"))
    assert store.report.reason == "StoreUntried"
    assert [await charge(rates) for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    ("requests", "minutes", "counts_there"), [(2, None, True), (None, 2, True), (None, None, False)]
)
def test_without_a_limit_nothing_is_counted_in_the_store(
    tmp_path: Path, requests: int | None, minutes: int | None, counts_there: bool
) -> None:
    own = RateLimits(requests, minutes)
    rates, _ = opened_by(tmp_path, own, Metrics("base"))
    assert (rates is not own) is counts_there


async def test_the_store_is_tried_by_what_needs_every_right_on_the_services_own_keys(
    server: StoreServer, open_process: OpenProcess
) -> None:
    server.give([right for right in ALL_RIGHTS if right != "+hset"])
    _, store = open_process(server.url, redis_prefix="team/dictation")
    assert "~whisper:{team/dictation}:* " in await until(store, "StoreRightsMissing")


async def test_the_authorities_are_those_of_the_configuration(tmp_path: Path, open_process: OpenProcess) -> None:
    _, store = open_process("rediss://127.0.0.1", redis_ca_file=str(tmp_path / "missing"))
    assert "No such file" in await until(store, "StoreTlsFailed")


async def test_what_the_store_does_is_counted_with_the_process(server: StoreServer, open_process: OpenProcess) -> None:
    metrics = Metrics("base")
    _, store = open_process(server.url, metrics)
    await until(store, "StoreInUse")
    assert metrics.registry.get_sample_value("whisper_store_in_use") == 1


async def test_with_results_the_store_is_tried_by_what_keeps_them_too(
    server: StoreServer, open_process: OpenProcess
) -> None:
    server.give([right for right in ALL_RIGHTS if right != "+zadd"])
    _, limits = open_process(server.url)
    await until(limits, "StoreInUse")
    _, both = open_process(server.url, result_cache_max_bytes=1_000_000)
    assert (await until(both, "StoreRightsMissing")).endswith(
        "+info +eval +evalsha +time +hmget +hset +expire +zrem +incrby +zrange +zadd"
    )


async def test_results_of_processes_of_one_service_are_the_same(server: StoreServer, open_process: OpenProcess) -> None:
    found = [open_process(server.url, result_cache_max_bytes=1_000_000)[1] for _ in range(2)]
    for store in found:
        await until(store, "StoreInUse")
    one, other = (
        opening.shared_results(RuntimeConfig(), MemoryStore(1_000_000, 60), store, 1_000_000) for store in found
    )
    await one.put("a", b"words")
    assert (stored := await other.get("a")) is not None
    assert (stored.content, round(stored.age + stored.seconds_left)) == (b"words", RuntimeConfig().result_cache_seconds)


async def test_with_jobs_the_store_is_tried_by_what_keeps_them_and_has_to_be_durable(
    server: StoreServer, open_process: OpenProcess
) -> None:
    server.give([right for right in ALL_RIGHTS if right != "+zrank"])
    _, store = open_process(server.url, jobs_store="redis")
    assert "+zrank" in await until(store, "StoreRightsMissing")
    server.give(ALL_RIGHTS)
    assert "set appendonly yes" in await until(store, "StoreNotDurable")
    assert store.is_used
    _, limits = open_process(server.url)
    await until(limits, "StoreInUse")


@pytest.mark.parametrize(
    "missing", [right for right in (*LIMITS, *JOBS) if right not in ("resetchannels", "+hmget", "+expire")]
)
async def test_each_right_that_jobs_need_is_found(server: StoreServer, open_process: OpenProcess, missing: str) -> None:
    server.give([right for right in ALL_RIGHTS if right != missing])
    _, store = open_process(server.url, jobs_store="redis")
    assert missing.replace("*", "{whisper}:*") in await until(store, "StoreRightsMissing")
