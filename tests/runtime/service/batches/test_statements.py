"""Statements find what they need by an index, however many files and batches there are."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from whisper_runtime.service.batches import statements
from whisper_runtime.service.jobs.connection import connect, make_tables

ENDED = 20_000
SELECTING = {  # ALL_FILES is read once, at the start
    name: sql
    for name, sql in vars(statements).items()
    if isinstance(sql, str) and sql.strip().startswith(("SELECT", "UPDATE", "DELETE")) and name != "ALL_FILES"
}


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A database with twenty thousand batches that have ended, and the statistics that SQLite plans by."""
    with closing(connect(tmp_path_factory.mktemp("used") / "jobs.sqlite3")) as connection:
        for _ in range(2):  # what is there stays
            make_tables(connection, statements.SCHEMA)
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO files (id, client, purpose, filename, size, created, expires, bytes)"
            " VALUES (?, ?, 'batch', 'a', 1, 0, ?, 1)",
            ((f"file-{n}", f"key {n % 3}", 1e9 + n) for n in range(ENDED)),
        )
        connection.executemany(
            "INSERT INTO batches (id, client, state, endpoint, input_file, window, window_seconds, keep_seconds,"
            " metadata, created, expires, ended, forgotten, bytes)"
            " VALUES (?, ?, 'completed', '', ?, '24h', 1, 1, '{}', 0, 1, 1, ?, 1)",
            ((f"batch_{n}", f"key {n % 3}", f"file-{n}", 1e9 + n) for n in range(ENDED)),
        )
        connection.executemany("INSERT INTO batch_answers VALUES ('batch_1', ?, 0, '')", ((n,) for n in range(ENDED)))
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
        yield connection


@pytest.mark.parametrize("name", SELECTING)
def test_no_statement_reads_all(used: sqlite3.Connection, name: str) -> None:
    """By SQLite's own plan; batches that have not ended are in an index of their own."""
    parameters = dict.fromkeys(re.findall(r":(\w+)", SELECTING[name]))
    plan = [row[3] for row in used.execute(f"EXPLAIN QUERY PLAN {SELECTING[name]}", parameters)]
    assert plan
    scans = [step for step in plan if step.startswith("SCAN") and "live_batches" not in step]
    assert not [step for step in (*scans, *plan) if step in scans or "TEMP B-TREE" in step], plan


def test_bytes_are_counted_with_those_of_jobs(used: sqlite3.Connection) -> None:
    assert used.execute("SELECT TOTAL(bytes) FROM totals").fetchone()[0] == 2 * ENDED
    assert used.execute("SELECT TOTAL(bytes) FROM clients").fetchone()[0] == 2 * ENDED
    used.execute("DELETE FROM files")
    used.execute("UPDATE batches SET bytes = 3")
    assert used.execute("SELECT TOTAL(bytes) FROM totals").fetchone()[0] == 3 * ENDED
    used.execute("DELETE FROM batches")
    assert used.execute("SELECT COUNT(*) FROM clients").fetchone()[0] == 0
