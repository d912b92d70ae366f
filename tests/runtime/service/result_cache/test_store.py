"""A store keeps what was asked for last, within its bytes and its time."""

from __future__ import annotations

from whisper_runtime.service.result_cache.store import ENTRY_BYTES, MemoryStore, StoredContent


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def store_of(clock: Clock, *, contents: int = 3) -> MemoryStore:
    """Room for so many contents of ten bytes, each for a minute."""
    return MemoryStore(contents * (10 + ENTRY_BYTES), 60, clock)


async def kept(store: MemoryStore, *keys: str) -> list[bytes | None]:
    found = [await store.get(key) for key in keys]
    return [one and one.content for one in found]


async def test_what_was_put_is_there_with_its_age_and_the_time_that_is_left() -> None:
    clock = Clock()
    store = store_of(clock)
    await store.put("a", b"a" * 10)
    clock.now += 20
    assert await store.get("a") == StoredContent(b"a" * 10, age=20, seconds_left=40)
    assert await store.get("b") is None


async def test_it_is_forgotten_when_its_time_is_over_and_takes_no_room_any_more() -> None:
    clock = Clock()
    store = store_of(clock)
    await store.put("a", b"a" * 10)
    clock.now += 30
    await store.put("b", b"b" * 10)
    clock.now += 30
    assert await kept(store, "b") == [b"b" * 10]
    assert store.used_bytes == 10 + ENTRY_BYTES
    assert await kept(store, "a") == [None]


async def test_being_asked_for_prolongs_nothing() -> None:
    clock = Clock()
    store = store_of(clock)
    await store.put("a", b"a" * 10)
    for _ in range(4):
        clock.now += 15
        await store.get("a")
    assert await kept(store, "a") == [None]


async def test_what_was_not_asked_for_the_longest_makes_room() -> None:
    store = store_of(Clock())
    for key in "abc":
        await store.put(key, key.encode() * 10)
    await store.get("a")
    await store.put("d", b"d" * 10)
    assert await kept(store, *"abcd") == [b"a" * 10, None, b"c" * 10, b"d" * 10]


async def test_bytes_are_never_more_than_they_may_be() -> None:
    store = store_of(Clock())
    for size in (1, 1000, 30, 1500, 10, 1546, 200):
        await store.put(str(size), b"x" * size)
        assert 0 < store.used_bytes <= 3 * (10 + ENTRY_BYTES)


async def test_what_is_larger_than_the_store_is_not_kept_and_drops_nothing_but_what_it_replaces() -> None:
    store = store_of(Clock())
    await store.put("a", b"a" * 10)
    await store.put("b", b"b" * 10)
    await store.put("b", b"b" * 2000)
    assert await kept(store, "a", "b") == [b"a" * 10, None]


async def test_what_is_put_again_is_new() -> None:
    clock = Clock()
    store = store_of(clock)
    await store.put("a", b"a" * 10)
    clock.now += 59
    await store.put("a", b"A" * 10)
    clock.now += 59
    assert await store.get("a") == StoredContent(b"A" * 10, age=59, seconds_left=1)
    assert store.used_bytes == 10 + ENTRY_BYTES


async def test_what_is_deleted_is_gone_and_takes_no_room() -> None:
    store = store_of(Clock())
    await store.put("a", b"a" * 10)
    await store.delete("a")
    await store.delete("b")
    assert (await kept(store, "a"), store.used_bytes) == ([None], 0)
