"""What a store keeps of results: each to its time, all within their bytes, and nothing that somebody else put there."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from typing import Any, cast

import pytest
from redis import Redis

from testbed.store_server import StoreServer
from tests.runtime.service.shared.conftest import PREFIX
from whisper_runtime.service.result_cache.store import ENTRY_BYTES
from whisper_runtime.service.shared.program_call import ProgramCall
from whisper_runtime.service.shared.result_program import (
    MOST_CONTENT_BYTES,
    MOST_PACKED_BYTES,
    finding,
    forgetting,
    keeping,
    packed,
    stored_content,
)

ROOM_FOR_TWO = 2 * (10 + ENTRY_BYTES)


@pytest.fixture
def client(server: StoreServer) -> Iterator[Redis]:
    with Redis(port=server.port, protocol=2) as opened:
        yield opened


def run(client: Redis, call: ProgramCall) -> Any:
    return client.eval(call.program, len(call.keys), *call.keys, *call.arguments)


def keep(client: Redis, key: str, content: bytes = b"0123456789", seconds: int = 60, most: int = ROOM_FOR_TWO) -> bool:
    return run(client, keeping(PREFIX, key, content, seconds, most)) == [1]


def kept(client: Redis) -> set[str]:
    """The keys under which something is found."""
    return {key for key in "abcd" if run(client, finding(PREFIX, key))}


def test_a_result_is_found_with_its_age_and_the_time_that_is_left(client: Redis) -> None:
    content = packed(b"words" * 100)
    assert content is not None
    keep(client, "a", content, seconds=60, most=10_000)
    found = stored_content(run(client, finding(PREFIX, "a")))
    assert found is not None
    assert found.content == b"words" * 100
    assert 0 <= found.age < 60
    assert found.age + found.seconds_left == pytest.approx(60)
    assert stored_content(run(client, finding(PREFIX, "b"))) is None


def test_the_oldest_make_room_for_the_newest(client: Redis) -> None:
    for key in "abc":
        assert keep(client, key)
    assert kept(client) == {"b", "c"}
    keep(client, "b")
    keep(client, "d")
    assert kept(client) == {"b", "d"}


def test_what_is_larger_than_all_may_be_is_not_kept_and_drops_nothing_but_what_it_replaces(client: Redis) -> None:
    keep(client, "a")
    keep(client, "b")
    assert not keep(client, "b", b"x" * ROOM_FOR_TWO)
    assert kept(client) == {"a"}


def test_what_is_forgotten_is_gone_and_takes_no_room(client: Redis) -> None:
    keep(client, "a")
    keep(client, "b")
    run(client, forgetting(PREFIX, "a"))
    run(client, forgetting(PREFIX, "c"))
    assert kept(client) == {"b"}
    keep(client, "d")
    assert kept(client) == {"b", "d"}
    for key in "bd":
        run(client, forgetting(PREFIX, key))
    assert client.get("whisper:{team/speech}:results:bytes") == b"0"


def test_what_has_ended_makes_room_first_and_nothing_stays_without_an_end(client: Redis) -> None:
    keep(client, "a", seconds=3600)
    keep(client, "b", seconds=60)
    client.zadd("whisper:{team/speech}:results", {f"{10 + ENTRY_BYTES} whisper:{{team/speech}}:result:b": 1}, xx=True)
    keep(client, "c", seconds=3600)
    assert kept(client) == {"a", "c"}
    names = ("result:a", "result:c", "results", "results:bytes")
    assert {client.ttl(f"whisper:{{team/speech}}:{name}") > 0 for name in names} == {True}
    assert cast(Any, client).dbsize() == len(names)


def test_a_count_that_an_eviction_has_left_alone_begins_anew(client: Redis) -> None:
    client.set("whisper:{team/speech}:results:bytes", 1_000_000)
    assert keep(client, "a")
    assert keep(client, "b")
    assert kept(client) == {"a", "b"}


def test_what_packs_badly_is_too_large() -> None:
    assert packed(os.urandom(MOST_PACKED_BYTES)) is None
    assert packed(b"a" * 10 * MOST_PACKED_BYTES) is not None


@pytest.mark.parametrize(
    "content",
    [b"words", zlib.compress(b"words")[:-5], zlib.compress(bytes(MOST_CONTENT_BYTES + 1))],
    ids=["not packed", "cut", "a bomb"],
)
def test_what_somebody_else_has_put_there_is_nothing(content: bytes) -> None:
    assert stored_content([content, b"0", b"1"]) is None
