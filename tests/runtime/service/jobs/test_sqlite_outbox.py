"""The outbox is in the database of jobs: it outlives its process, takes turns with others, and rests unwritten."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from tests.runtime.service.jobs.conftest import HandClock, audio, draft
from whisper_runtime.service.jobs.job import Job
from whisper_runtime.service.jobs.sqlite_outbox import SqliteOutbox
from whisper_runtime.service.jobs.store import JobStore

EVENTS = 20


@pytest.fixture
def kind() -> str:
    """Those of SQLite alone."""
    return "sqlite"


async def ended(store: JobStore) -> Job:
    job = await store.put(draft(webhook_url="https://hooks.example.com/"), audio())
    return await store.cancel("key ann", job.id)


async def test_an_event_outlives_the_process(store: JobStore, tmp_path: Path, clock: HandClock) -> None:
    job = await ended(store)
    first = SqliteOutbox(tmp_path / "jobs", clock=clock)
    claimed = await first.claim(())
    assert claimed is not None
    await first.postpone(claimed, "`webhook_url` answered 500.", 60)
    await first.close()
    clock.now += 60
    second = SqliteOutbox(tmp_path / "jobs", clock=clock)
    found = await second.claim(())
    assert found is not None
    assert (found.job_id, found.event_id, found.attempt) == (job.id, claimed.event_id, 2)
    await second.close()


async def test_each_event_is_claimed_once_by_processes_side_by_side(
    store: JobStore, tmp_path: Path, clock: HandClock
) -> None:
    for _ in range(EVENTS):
        await ended(store)
    outboxes = [SqliteOutbox(tmp_path / "jobs", clock=clock) for _ in range(3)]

    async def claims(outbox: SqliteOutbox) -> list[str]:
        found: list[str] = []
        while claimed := await outbox.claim(()):
            found.append(claimed.event_id)
        return found

    claimed = sum(await asyncio.gather(*map(claims, outboxes)), list[str]())
    assert len(claimed) == len(set(claimed)) == EVENTS
    for outbox in outboxes:
        await outbox.close()


async def test_to_look_for_an_event_writes_nothing(store: JobStore, tmp_path: Path, clock: HandClock) -> None:
    outbox = SqliteOutbox(tmp_path / "jobs", clock=clock)
    written = (tmp_path / "jobs" / "jobs.sqlite3-wal").stat().st_size
    for _ in range(10):
        assert await outbox.claim(()) is None
    assert (tmp_path / "jobs" / "jobs.sqlite3-wal").stat().st_size == written
    await outbox.close()


def test_a_directory_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "jobs.sqlite3").write_text("this is no database, but a text that is long enough to be read")
    with pytest.raises(sqlite3.DatabaseError):
        SqliteOutbox(tmp_path)
