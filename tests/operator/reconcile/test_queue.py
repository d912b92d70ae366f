"""Each key waits at most once, and is never processed twice at the same time."""

from __future__ import annotations

import asyncio

import pytest

from whisper_operator.observe.records import Key
from whisper_operator.reconcile.queue import FIRST_RETRY_SECONDS, LAST_RETRY_SECONDS, LOW_PRIORITY_EVERY, Queue

A, B, C = ("team", "a"), ("team", "b"), ("team", "c")


async def test_a_key_waits_once_and_in_order() -> None:
    queue = Queue()
    for key in (A, B, A):
        queue.add(key)
    assert [await queue.get(), await queue.get()] == [A, B]


async def test_what_changed_goes_before_low_priority() -> None:
    queue = Queue()
    queue.add_low_priority([A, B, C])
    queue.add(C)
    assert [await queue.get() for _ in range(3)] == [C, A, B]


async def test_changes_without_end_do_not_hold_up_low_priority() -> None:
    queue = Queue()
    queue.add_low_priority([A])
    for _ in range(LOW_PRIORITY_EVERY):
        queue.add(B)
        taken = await queue.get()
        queue.done(taken)
        if taken == A:
            return
    pytest.fail("the key of low priority was never taken")


async def test_a_key_that_changed_does_not_wait_with_low_priority_too() -> None:
    queue = Queue()
    queue.add(B)
    queue.add_low_priority([A, B])
    assert [await queue.get(), await queue.get()] == [B, A]
    assert queue.standstill_seconds() < 60


async def test_a_key_of_low_priority_that_is_being_processed_waits_again_afterwards() -> None:
    queue = Queue()
    queue.add(A)
    assert await queue.get() == A
    queue.add_low_priority([A])
    queue.done(A)
    async with asyncio.timeout(5):
        assert await queue.get() == A


async def test_a_key_that_is_added_while_it_is_processed_waits_again_afterwards() -> None:
    queue = Queue()
    queue.add(A)
    assert await queue.get() == A
    queue.add(A)
    queue.add(B)
    assert await queue.get() == B
    queue.done(A)
    assert await queue.get() == A


async def test_a_long_queue_that_moves_is_not_stuck() -> None:
    """Given ten thousand services whose passes take a quarter of an hour together."""
    now = 1000.0
    queue = Queue(clock=lambda: now)
    queue.start()
    now += 3600
    queue.add_low_priority(("team", str(number)) for number in range(10_000))
    assert queue.stuck_seconds() == 0
    for _ in range(9):
        now += 100
        queue.done(await queue.get())
    assert (queue.stuck_seconds(), queue.standstill_seconds()) == (0, 900)
    now += 200
    assert queue.stuck_seconds() == 200


async def test_a_key_that_stays_in_processing_is_stuck() -> None:
    now = 1000.0
    queue = Queue(clock=lambda: now)
    queue.start()
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


async def test_a_failure_is_retried() -> None:
    queue = Queue()
    queue.add_rate_limited(A)
    async with asyncio.timeout(5):
        assert await queue.get() == A


async def test_retries_come_later_and_later_until_one_succeeds() -> None:
    """Each delay is jittered by half, so that what failed together is not retried together."""
    delays: list[float] = []

    class RecordingQueue(Queue):
        def add_after(self, key: Key, seconds: float) -> None:
            delays.append(seconds)

    queue = RecordingQueue()
    for _ in range(16):
        queue.add_rate_limited(A)
    for failures, delay in enumerate(delays):
        longest = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2**failures)
        assert longest / 2 <= delay <= longest
    queue.forget(A)
    queue.add_rate_limited(A, at_least=30)
    assert delays[-1] == 30


class Counted:
    """Keeps what it is told of a queue."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, float]] = []

    def added(self) -> None:
        self.calls.append(("added", 1))

    def retried(self) -> None:
        self.calls.append(("retried", 1))

    def got(self, waited_seconds: float) -> None:
        self.calls.append(("got", waited_seconds))

    def done(self, processed_seconds: float) -> None:
        self.calls.append(("done", processed_seconds))

    def depth(self, waiting: int) -> None:
        self.calls.append(("depth", waiting))


async def test_metrics_are_told_of_every_step() -> None:
    now, counted = 1000.0, Counted()
    queue = Queue(counted, lambda: now)
    queue.add(A)
    now += 5
    await queue.get()
    now += 3
    queue.done(A)
    queue.add_rate_limited(A, at_least=60)
    assert counted.calls == [("added", 1), ("depth", 1), ("got", 5), ("depth", 0), ("done", 3), ("retried", 1)]
