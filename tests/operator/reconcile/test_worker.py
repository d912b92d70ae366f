"""The workers among the other tasks of the process."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from whisper_operator.observe.records import Key
from whisper_operator.reconcile.queue import Queue
from whisper_operator.reconcile.worker import work

KEYS: list[Key] = [("team", f"speech-{number}") for number in range(100)]


@pytest.mark.parametrize("workers", [1, 8])
async def test_passes_that_wait_for_nothing_let_others_have_their_turn(workers: int) -> None:
    """As at a start, when a thousand services are as they should be and the Lease has to be renewed."""
    queue, turns = Queue(), list[int]()
    passed: list[Key] = []

    async def reconcile(key: Key) -> None:
        passed.append(key)

    queue.add_all(KEYS)
    queue.start()
    tasks = [asyncio.create_task(work(queue, reconcile)) for _ in range(workers)]
    while len(passed) < len(KEYS):
        turns.append(len(passed))
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    assert max(after - before for before, after in itertools.pairwise(turns)) <= workers
