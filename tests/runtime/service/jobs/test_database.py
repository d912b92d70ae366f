"""The statements of the database find what they need by an index, however many jobs there are."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.runtime.service.jobs.conftest import KEEP_SECONDS
from whisper_runtime.service.jobs import statements
from whisper_runtime.service.jobs.database import JobDatabase

FINISHED = 100_000


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A database with a hundred thousand finished jobs, and the statistics that SQLite plans by."""
    path = tmp_path_factory.mktemp("used") / "jobs.sqlite3"
    JobDatabase(path, KEEP_SECONDS, lambda: 0.0).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO jobs (id, client, created, expires, state, request, metadata, audio_seconds, body_digest,"
            " turn, turn_end, bytes) VALUES (?, ?, ?, ?, 'completed', '{}', '{}', 10, '', 0, 10, 1)",
            ((f"tr_{n}", f"key {n % 3}", n, 1e9 + n) for n in range(FINISHED)),
        )
        connection.execute("ANALYZE")
        yield connection


SELECTING = {  # WITH_FILE is read once, at the start
    name: sql
    for name, sql in vars(statements).items()
    if isinstance(sql, str) and sql.strip().startswith(("SELECT", "UPDATE", "DELETE")) and name != "WITH_FILE"
}


@pytest.mark.parametrize("name", SELECTING)
def test_no_statement_reads_all_jobs(used: sqlite3.Connection, name: str) -> None:
    """By SQLite's own plan: each finds its rows, in their order, by an index."""
    parameters = dict.fromkeys(re.findall(r":(\w+)", SELECTING[name]))
    plan = [row[3] for row in used.execute(f"EXPLAIN QUERY PLAN {SELECTING[name]}", parameters)]
    assert plan
    assert not [step for step in plan if step.startswith("SCAN jobs") or "TEMP B-TREE" in step], plan
