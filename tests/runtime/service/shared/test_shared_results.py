"""A result that one pod keeps all find; while the store is away each has its own; nobody gets what was forgotten."""

from __future__ import annotations

import os

import pytest

from testbed.store_server import StoreServer
from tests.runtime.service.shared.conftest import PREFIX, OpenShared, until
from tests.support.waiting import eventually_async
from whisper_runtime.service.result_cache.store import MemoryStore, ResultStore
from whisper_runtime.service.shared.result_program import MOST_PACKED_BYTES
from whisper_runtime.service.shared.shared_results import SharedResults
from whisper_runtime.service.shared.shared_store import SharedStore

MIB = 1024**2


def results_of(store: SharedStore, prefix: str = PREFIX) -> SharedResults:
    return SharedResults(MemoryStore(MIB, 60), store, prefix, MIB, 60)


async def content(results: ResultStore, key: str) -> bytes | None:
    found = await results.get(key)
    return found and found.content


@pytest.fixture
async def stores(server: StoreServer, open_store: OpenShared) -> list[SharedStore]:
    found = [open_store(server.url) for _ in range(2)]
    for store in found:
        await until(store, "StoreInUse")
    return found


@pytest.fixture
async def pods(stores: list[SharedStore]) -> list[SharedResults]:
    return [results_of(store) for store in stores]


async def back(server: StoreServer, stores: list[SharedStore]) -> None:
    server.start()
    await eventually_async("both pods use it", lambda: all(store.is_used for store in stores))


async def test_what_one_pod_keeps_the_other_finds_and_no_other_service(
    pods: list[SharedResults], stores: list[SharedStore]
) -> None:
    await pods[0].put("a", b"words")
    found = await pods[1].get("a")
    assert found is not None
    assert (found.content, found.age + found.seconds_left) == (b"words", pytest.approx(60))
    assert await content(results_of(stores[1], "team/dictation"), "a") is None


async def test_what_one_pod_replaces_or_deletes_is_so_for_the_other(pods: list[SharedResults]) -> None:
    await pods[0].put("a", b"words")
    await pods[1].put("a", b"newer")
    assert await content(pods[0], "a") == b"newer"
    await pods[1].delete("a")
    assert [await content(pod, "a") for pod in pods] == [None, None]


async def test_while_the_store_is_away_each_pod_keeps_its_own(
    pods: list[SharedResults], stores: list[SharedStore], server: StoreServer
) -> None:
    server.kill()
    await pods[0].put("a", b"words")
    assert [await content(pod, "a") for pod in pods] == [b"words", None]
    await back(server, stores)
    assert [await content(pod, "a") for pod in pods] == [b"words", None]


async def test_what_was_deleted_while_the_store_did_not_answer_is_not_found_again(
    pods: list[SharedResults], stores: list[SharedStore], server: StoreServer
) -> None:
    await pods[0].put("a", b"words")
    await pods[0].put("b", b"words")
    server.ask("ACL", "SETUSER", "whisper", "-hmget")
    await pods[0].delete("a")
    await pods[0].put("b", b"newer")
    assert [await content(pods[0], key) for key in "ab"] == [None, b"newer"]
    server.ask("ACL", "SETUSER", "whisper", "+hmget")
    await eventually_async("both pods use it", lambda: all(store.is_used for store in stores))
    assert [await content(pods[0], key) for key in "ab"] == [None, b"newer"]
    assert [await content(pods[1], key) for key in "ab"] == [None, None]


async def test_what_is_too_large_for_the_store_the_pod_keeps_itself(pods: list[SharedResults]) -> None:
    await pods[0].put("a", b"words")
    large = os.urandom(MOST_PACKED_BYTES)
    await pods[0].put("a", large)
    assert await content(pods[0], "a") == large
    assert await content(pods[1], "a") is None
