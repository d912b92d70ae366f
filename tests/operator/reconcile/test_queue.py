"""Each key waits at most once, and is never in two hands."""

from __future__ import annotations

import asyncio

import pytest

from whisper_operator.reconcile.queue import SWEPT_EVERY, Queue

A, B, C = ("team", "a"), ("team", "b"), ("team", "c")


async def test_a_key_waits_once_and_in_order() -> None:
    queue = Queue()
    for key in (A, B, A):
        queue.add(key)
    assert [await queue.get(), await queue.get()] == [A, B]


async def test_what_changed_goes_before_what_is_passed_over_with_all_the_rest() -> None:
    queue = Queue()
    queue.sweep([A, B, C])
    queue.add(C)
    assert [await queue.get() for _ in range(3)] == [C, A, B]


async def test_changes_without_end_do_not_hold_up_the_rest() -> None:
    queue = Queue()
    queue.sweep([A])
    for _ in range(SWEPT_EVERY):
        queue.add(B)
        taken = await queue.get()
        queue.done(taken)
        if taken == A:
            return
    pytest.fail("the swept key was never taken")


async def test_a_key_that_changed_is_not_passed_over_once_more() -> None:
    queue = Queue()
    queue.add(B)
    queue.sweep([A, B])
    assert [await queue.get(), await queue.get()] == [B, A]
    assert queue.standstill_seconds() < 60


async def test_a_key_in_work_is_passed_over_afterwards() -> None:
    queue = Queue()
    queue.add(A)
    assert await queue.get() == A
    queue.sweep([A])
    queue.done(A)
    async with asyncio.timeout(5):
        assert await queue.get() == A


async def test_a_key_that_is_added_while_in_work_comes_again_afterwards() -> None:
    queue = Queue()
    queue.add(A)
    assert await queue.get() == A
    queue.add(A)
    queue.add(B)
    assert await queue.get() == B
    queue.done(A)
    assert await queue.get() == A


async def test_a_long_queue_that_moves_is_not_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given ten thousand services whose passes take a quarter of an hour together."""
    now = 1000.0
    monkeypatch.setattr("whisper_operator.reconcile.queue.time.monotonic", lambda: now)
    queue = Queue()
    queue.begin()
    now += 3600
    queue.sweep(("team", str(number)) for number in range(10_000))
    assert queue.stuck_seconds() == 0
    for _ in range(9):
        now += 100
        queue.done(await queue.get())
    assert (queue.stuck_seconds(), queue.standstill_seconds()) == (0, 900)
    now += 200
    assert queue.stuck_seconds() == 200


async def test_a_key_that_stays_in_work_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("whisper_operator.reconcile.queue.time.monotonic", lambda: now)
    queue = Queue()
    queue.begin()
    queue.add(A)
    await queue.get()
    now += 200
    queue.add(B)
    await queue.get()
    assert queue.stuck_seconds() == 200
    queue.done(A)
    assert queue.stuck_seconds() == 0


async def test_of_two_later_times_the_earlier_counts() -> None:
    queue = Queue()
    queue.add_after(A, 3600)
    queue.add_after(A, 0)
    async with asyncio.timeout(5):
        assert await queue.get() == A


async def test_a_failure_is_tried_again() -> None:
    queue = Queue()
    queue.retry(A)
    async with asyncio.timeout(5):
        assert await queue.get() == A
