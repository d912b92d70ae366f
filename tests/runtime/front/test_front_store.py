"""A front knows of servers what they have left in a real store, and takes it as it was for a few seconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from testbed.store_server import StoreServer, running
from tests.fakes.engine import MULTILINGUAL
from tests.support.waiting import eventually_async
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.front import front_store
from whisper_runtime.front.front_store import FrontStore, UsableStore, knows_servers
from whisper_runtime.service.serving_facts import ServingFacts, facts_key
from whisper_runtime.service.shared import open as opening
from whisper_runtime.service.shared.fact_program import leaving
from whisper_runtime.service.shared.shared_store import SharedStore

PREFIX = "team/speech"
FACTS = ServingFacts(MULTILINGUAL, "float16", "f" * 64)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StoreServer]:
    with running("valkey", tmp_path / "server") as found:
        yield found


@pytest.fixture
async def store(server: StoreServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FrontStore]:
    """A machine without a free processor must not look like a store that is away."""
    monkeypatch.setattr(opening, "SharedStore", partial(SharedStore, waits=(30.0,), pauses=(0.05,)))
    (tmp_path / "url").write_text(server.url)
    found = FrontStore(
        RuntimeConfig(model="base", redis_url_file=str(tmp_path / "url"), redis_prefix=PREFIX), CollectorRegistry()
    )
    assert found.in_use is None, "nothing is open yet"
    task = asyncio.create_task(found.keep())
    await eventually_async("it is in use", lambda: found.in_use)
    yield found
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def opened(store: FrontStore) -> UsableStore:
    found = store.in_use
    assert found is not None
    return found


async def leave(store: FrontStore, content: bytes) -> None:
    name = facts_key(store.config)
    assert name is not None
    assert await opened(store).shared.call(leaving(PREFIX, name, content)) is not None


async def test_what_servers_are_is_known_to_the_model(store: FrontStore) -> None:
    await leave(store, FACTS.to_json())
    assert await store.facts(opened(store)) == FACTS
    info = opened(store).model.info
    assert (info.abilities, info.precision, info.name) == (MULTILINGUAL, "float16", "base")
    assert info.digest is not None


async def test_nothing_is_known_before_one_has_served_or_of_another_version(
    store: FrontStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await store.facts(opened(store)) is None
    await leave(store, b'{"precision": "float16"}')
    monkeypatch.setattr(front_store, "FACTS_SECONDS", 0.0)
    assert await store.facts(opened(store)) is None


async def test_it_is_asked_for_again_when_it_is_old(store: FrontStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_store, "FACTS_SECONDS", 600.0)
    await leave(store, FACTS.to_json())
    await store.facts(opened(store))
    other = replace(FACTS, precision="float32")
    await leave(store, other.to_json())
    assert await store.facts(opened(store)) == FACTS
    monkeypatch.setattr(front_store, "FACTS_SECONDS", 0.0)
    assert await store.facts(opened(store)) == other


@pytest.mark.parametrize(
    ("changed", "knows"),
    [({}, True), ({"redis_url_file": None}, False), ({"model": "mine"}, False), ({"model": "tiny.en"}, True)],
)
def test_it_needs_a_store_and_one_checkpoint(changed: dict[str, Any], knows: bool) -> None:
    of_all: dict[str, Any] = {"model": "base", "redis_url_file": "/url"}
    assert knows_servers(RuntimeConfig(**of_all | changed)) is knows
