"""What is committed is on the disk; what fails is undone; another version's tables are left alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from whisper_runtime.service.jobs.connection import connect, transaction


def test_commits_are_synced_and_others_may_read_meanwhile(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "a")) as connection:
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("synchronous", "journal_mode")]
        assert found == [2, "wal"]


def test_a_transaction_that_fails_changes_nothing(tmp_path: Path) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        with transaction(connection):
            connection.execute("UPDATE clock SET turn = 7")
            raise KeyError

    with closing(connect(tmp_path / "a")) as connection, closing(connect(tmp_path / "a")) as other:
        with pytest.raises(KeyError):
            fail(connection)
        assert other.execute("SELECT turn FROM clock").fetchone()[0] == 0
        with transaction(connection):
            connection.execute("UPDATE clock SET turn = 8")
        assert other.execute("SELECT turn FROM clock").fetchone()[0] == 8


def test_the_tables_of_another_version_are_not_opened(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "a")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(sqlite3.DatabaseError, match="version 99"):
        connect(tmp_path / "a")
