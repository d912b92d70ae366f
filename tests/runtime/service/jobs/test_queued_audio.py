"""What the triggers keep is what a look at all jobs would find, whatever was done to them."""

from __future__ import annotations

import random
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest

from tests.runtime.service.jobs.conftest import draft
from whisper_runtime.service.jobs.database import JobDatabase
from whisper_runtime.service.jobs.job import JobError, JobGone, JobLease, JobLeaseLost, JobQuotaReached
from whisper_runtime.service.jobs.queued_audio import check_quota

KEPT = "SELECT client, jobs, audio_seconds FROM queued_audio ORDER BY client"
FOUND = "SELECT client, count(*), sum(audio_seconds) FROM jobs WHERE state = 'queued' GROUP BY client ORDER BY client"
ERROR: JobError = {"message": "no", "type": "server_error", "param": None, "code": "bad"}


def rows(connection: sqlite3.Connection, statement: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(statement)]


def do_something(database: JobDatabase, chosen: random.Random, ids: dict[str, str], leases: list[JobLease]) -> None:
    """One verb of a client or a worker, on any job; `ids`: the client of each job."""
    match chosen.randrange(7):
        case 0 | 1:
            job_id, client = f"tr_{len(ids)}", chosen.choice(["key ann", "key bob"])
            database.insert(draft(client, float(chosen.randint(1, 90))), job_id, 10, 1 << 30)
            ids[job_id] = client
        case 2:
            claimed, _ = database.claim(60.0, "base")
            if claimed is not None:
                leases.append(claimed.lease)
        case 3 if leases:
            database.hand_back(chosen.choice(leases))
        case 4 if leases:
            database.complete(chosen.choice(leases), 5)
        case 5 if leases:
            database.retry(chosen.choice(leases), ERROR)
        case 6 if ids:
            job_id, client = chosen.choice([*ids.items()])
            chosen.choice([database.cancel, database.delete])(client, job_id)
        case _:
            pass


@pytest.mark.parametrize("seed", range(5))
def test_the_seconds_of_each_client_are_those_of_its_queued_jobs(tmp_path: Path, seed: int) -> None:
    database = JobDatabase(tmp_path / "jobs.sqlite3", 3600, lambda: 1000.0)
    chosen, ids, leases = random.Random(seed), dict[str, str](), list[JobLease]()
    for _ in range(200):
        with suppress(JobLeaseLost, JobGone):
            do_something(database, chosen, ids, leases)
        assert rows(database.connection, KEPT) == rows(database.connection, FOUND)
    assert ids
    assert leases
    database.close()


def test_a_client_with_nothing_queued_may_queue_any_length(tmp_path: Path) -> None:
    database = JobDatabase(tmp_path / "jobs.sqlite3", 3600, lambda: 1000.0)
    check_quota(database.connection, "key ann", 1e9, 10.0)
    database.insert(draft(seconds=8.0), "tr_1", 10, 1 << 30)
    check_quota(database.connection, "key ann", 2.0, 10.0)
    check_quota(database.connection, "key ann", 1e9, None)
    check_quota(database.connection, "key bob", 1e9, 10.0)
    with pytest.raises(JobQuotaReached) as told:
        check_quota(database.connection, "key ann", 3.0, 10.0)
    assert told.value.excess == 1.0
    database.close()
