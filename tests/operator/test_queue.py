"""Each key waits at most once, and is never in two hands."""

from __future__ import annotations

import asyncio

import pytest

from whisper_operator.queue import SWEPT_EVERY, Queue

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
