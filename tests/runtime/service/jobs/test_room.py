"""Who may take how many of a store's bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.runtime.service.jobs.conftest import draft
from whisper_runtime.service.jobs.database import JobDatabase
from whisper_runtime.service.jobs.job import JobStoreFull
from whisper_runtime.service.jobs.room import check_room, full, share_full, used_bytes
from whisper_runtime.service.jobs.rows import size_of

ANN, BOB = "key ann", "key bob"
TAKEN = 10_000


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Of a store in which Ann has one job."""
    with closing(JobDatabase(tmp_path / "jobs.sqlite3", 3600, lambda: 1000.0)) as database:
        database.insert(draft(ANN, 1.0), "tr_1", TAKEN, 1 << 30)
        yield database.connection


def test_a_job_takes_its_recording_and_room_for_its_result(connection: sqlite3.Connection) -> None:
    assert used_bytes(connection) == size_of(draft(ANN, 1.0), TAKEN) > TAKEN


def test_a_client_that_has_nothing_may_take_all_that_is_free(connection: sqlite3.Connection) -> None:
    free = 50_000 - used_bytes(connection)
    check_room(connection, BOB, free, 50_000)
    with pytest.raises(JobStoreFull, match="store of jobs is full"):
        check_room(connection, BOB, free + 1, 50_000)


def test_a_client_may_take_what_it_leaves_to_others(connection: sqlite3.Connection) -> None:
    held = used_bytes(connection)
    check_room(connection, ANN, 1000, 2 * held + 2000)
    with pytest.raises(JobStoreFull, match="Your jobs take"):
        check_room(connection, ANN, 1001, 2 * held + 2000)


def test_a_full_store_says_how_full_and_what_helps() -> None:
    for error in (full(8, 10), share_full(8, 10)):
        assert "8 of" in str(error)
        assert "delete jobs" in str(error)
