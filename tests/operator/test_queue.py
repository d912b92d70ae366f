"""Each key waits at most once, and is never in two hands."""

from __future__ import annotations

import asyncio

from whisper_operator.queue import Queue

A, B = ("team", "a"), ("team", "b")


async def test_a_key_waits_once_and_in_order() -> None:
    queue = Queue()
    for key in (A, B, A):
        queue.add(key)
    assert [await queue.get(), await queue.get()] == [A, B]


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
