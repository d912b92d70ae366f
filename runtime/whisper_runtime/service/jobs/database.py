"""The state of jobs in SQLite. Every method blocks, and is one transaction, which is on the disk when it returns.

Methods that end a job return the names of its files that nobody needs any more.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final, get_args

from whisper_runtime.service.jobs import statements as sql
from whisper_runtime.service.jobs.connection import connect, transaction
from whisper_runtime.service.jobs.job import (
    ABANDONED,
    MAX_ATTEMPTS,
    AttemptOutcome,
    ClaimedJob,
    Job,
    JobDraft,
    JobError,
    JobGone,
    JobLease,
    JobLeaseLost,
    JobNotDone,
    JobPage,
    JobsAhead,
    JobState,
    JobStatistics,
    JobTally,
    KeyReused,
    NoSuchJob,
    PlacedJob,
)
from whisper_runtime.service.jobs.queued_audio import check_quota
from whisper_runtime.service.jobs.room import check_room, used_bytes
from whisper_runtime.service.jobs.rows import (
    ROW_BYTES,
    audio_name,
    job_of,
    result_name,
    size_of,
    values_of,
)

DELETED: Final = "deleted"
"""The state of a job of which only the id is left."""
STATES: Final[frozenset[JobState]] = frozenset(get_args(JobState))
LOST_LEASE: Final = "the job is not this worker's any more"


class JobDatabase:
    """Use it from one thread at a time."""

    def __init__(
        self, path: Path, keep_seconds: float, clock: Callable[[], float], max_queued_seconds: float | None = None
    ) -> None:
        """Opens or makes the database; raises sqlite3.Error where it cannot. Results are kept for `keep_seconds`.

        `max_queued_seconds`: audio that one client may have queued; None: there is no limit.
        """
        self._keep_seconds, self._clock, self._max_queued_seconds = keep_seconds, clock, max_queued_seconds
        self._connection = connect(path)
        self._attempts, self._failures, self._expired = Counter[AttemptOutcome](), Counter[str](), 0

    def close(self) -> None:
        self._connection.close()

    @property
    def connection(self) -> sqlite3.Connection:
        """For the tables that lie beside those of jobs."""
        return self._connection

    def insert(self, draft: JobDraft, job_id: str, audio_bytes: int, max_bytes: int) -> Job:
        """Queues the job, or returns the one that has its key. Raises KeyReused, JobStoreFull, JobQuotaReached."""
        with transaction(self._connection):
            key = draft.idempotency_key
            if key and (found := self.with_key(draft.client, key, draft.body_digest)):
                return found
            self.check_quota(draft.client, draft.audio_seconds)
            size = size_of(draft, audio_bytes)
            check_room(self._connection, draft.client, size, max_bytes)
            added = {"id": job_id, "now": self._clock(), "turn": self._turn(draft.client), "bytes": size}
            self._connection.execute(sql.INSERT, values_of(draft) | added)
            return self._job(job_id)

    def check_quota(self, client: str, seconds: float) -> None:
        """Raises JobQuotaReached where the client may not queue so many further seconds of audio."""
        check_quota(self._connection, client, seconds, self._max_queued_seconds)

    def with_key(self, client: str, key: str, body_digest: str) -> Job | None:
        """The client's job that has the key; None: none has. Raises KeyReused where another body made it."""
        row = self._connection.execute(sql.BY_KEY, {"client": client, "key": key}).fetchone()
        if row is not None and row["body_digest"] != body_digest:
            raise KeyReused(f"the key belongs to the job {row['id']}, which was made of another request")
        return row and job_of(row)

    def made_by(self, client: str, keys: Collection[str], body_digest: str) -> list[Job]:
        values = {"client": client, "keys": json.dumps(list(keys)), "digest": body_digest}
        return list(map(job_of, self._connection.execute(sql.MADE_BY, values).fetchall()))

    def get(self, client: str, job_id: str) -> Job:
        """Raises NoSuchJob, JobGone."""
        return job_of(self._own(client, job_id))

    def completed(self, client: str, job_id: str) -> JobLease:
        """The lease by which the job was completed. Raises NoSuchJob, JobGone, JobNotDone."""
        row = self._own(client, job_id)
        if row["state"] == "expired":
            raise JobGone("its result has expired")
        if row["state"] != "completed":
            raise JobNotDone(row["state"])
        return JobLease(job_id, row["token"])

    def page(self, client: str, after: str | None, limit: int, state: JobState | None) -> JobPage:
        """Raises NoSuchJob where `after` is none of the client's."""
        seq = 1 << 62 if after is None else self._row(client, after)["seq"]
        statement = sql.OLDER if state is None else sql.OLDER_IN_STATE
        values = {"client": client, "seq": seq, "state": state, "limit": limit + 1}
        rows = self._connection.execute(statement, values).fetchall()
        return JobPage(tuple(map(job_of, rows[:limit])), has_more=len(rows) > limit)

    def find(self, client: str, job_ids: Collection[str]) -> list[Job]:
        rows = self._connection.execute(sql.FIND, {"client": client, "ids": json.dumps(list(job_ids))})
        return list(map(job_of, rows.fetchall()))

    def placed(self, client: str, job_id: str) -> PlacedJob:
        """Raises NoSuchJob, JobGone."""
        row = self._own(client, job_id)
        if row["state"] != "queued":
            return PlacedJob(job_of(row))
        ahead = self._connection.execute(sql.AHEAD, {"turn": row["turn"], "seq": row["seq"]}).fetchone()
        return PlacedJob(job_of(row), JobsAhead(*ahead))

    def claim(self, lease_seconds: float, model: str | None) -> tuple[ClaimedJob | None, list[str]]:
        """The next job; with the names of files, as of a job that was abandoned."""
        now = self._clock()
        with transaction(self._connection):
            unneeded: list[str] = []
            for row in self._connection.execute(sql.RUN_OUT, {"now": now}).fetchall():
                unneeded += self._queue_again(JobLease(row["id"], row["token"]), ABANDONED)
                self._attempts["lease_lost"] += 1
            row = self._connection.execute(sql.NEXT).fetchone()
            if row is None:
                return None, unneeded
            self._connection.execute(sql.SET_CLOCK, {"turn": row["turn"]})
            values = {"id": row["id"], "now": now, "lease_ends": now + lease_seconds, "model": model}
            (claimed,) = self._connection.execute(sql.CLAIM, values).fetchall()
        return ClaimedJob(JobLease(claimed["id"], claimed["token"]), job_of(claimed)), unneeded

    def bound_leases(self, lease_seconds: float) -> None:
        """Has every lease run out within so many seconds: one that lasts longer is of a clock that was set back since.

        To be called where no other process has the database open.
        """
        with transaction(self._connection):
            self._connection.execute(sql.BOUND_LEASES, {"latest": self._clock() + lease_seconds})

    def check(self, lease: JobLease) -> None:
        """Raises JobLeaseLost."""
        row = self._connection.execute(sql.BY_ID, {"id": lease.job_id}).fetchone()
        if row is None or row["token"] != lease.token or row["state"] != "in_progress":
            raise JobLeaseLost(LOST_LEASE)

    def renew(self, lease: JobLease, done_seconds: float, lease_seconds: float) -> None:
        """Raises JobLeaseLost."""
        with transaction(self._connection):
            self._change(sql.RENEW, lease, done_seconds=done_seconds, lease_ends=self._clock() + lease_seconds)

    def complete(self, lease: JobLease, result_bytes: int) -> list[str]:
        """Raises JobLeaseLost."""
        with transaction(self._connection):
            size = size_of(self._job(lease.job_id), 0, result_bytes)
            self._change(sql.COMPLETE, lease, **self._ending(size))
        self._attempts["completed"] += 1
        return [audio_name(lease.job_id)]

    def retry(self, lease: JobLease, error: JobError) -> list[str]:
        """Raises JobLeaseLost."""
        with transaction(self._connection):
            unneeded = self._queue_again(lease, error)
        self._attempts["failed"] += 1
        return unneeded

    def hand_back(self, lease: JobLease) -> None:
        """Raises JobLeaseLost."""
        with transaction(self._connection):
            self._change(sql.QUEUE_AGAIN, lease, not_counted=1)
        self._attempts["handed_back"] += 1

    def fail(self, lease: JobLease, error: JobError, state: JobState = "in_progress") -> list[str]:
        """Fails a job that is in this state. Raises JobLeaseLost."""
        with transaction(self._connection):
            unneeded = self._fail(lease, error, state)
        self._attempts["failed"] += state == "in_progress"
        return unneeded

    def cancel(self, client: str, job_id: str) -> tuple[Job, list[str]]:
        """Raises NoSuchJob, JobGone."""
        with transaction(self._connection):
            size = size_of(job_of(self._own(client, job_id)), 0, 0)
            is_cancelled = self._connection.execute(sql.CANCEL, {"id": job_id} | self._ending(size)).rowcount
            return self._job(job_id), [audio_name(job_id)] if is_cancelled else []

    def delete(self, client: str, job_id: str) -> list[str]:
        """Raises NoSuchJob, JobGone."""
        with transaction(self._connection):
            row = self._own(client, job_id)
            self._connection.execute(sql.DELETE, {"id": job_id} | self._ending(ROW_BYTES))
        return [audio_name(job_id), result_name(JobLease(job_id, row["token"]))]

    def expire(self) -> list[str]:
        """Deletes results that are old enough, and forgets jobs that have none; some of them at a time."""
        unneeded: list[str] = []
        with transaction(self._connection):
            for row in self._connection.execute(sql.EXPIRED, {"now": self._clock()}).fetchall():
                if row["state"] == "completed":
                    self._connection.execute(sql.EXPIRE, {"id": row["id"]} | self._ending(ROW_BYTES))
                    unneeded.append(result_name(JobLease(row["id"], row["token"])))
                    self._expired += 1
                else:
                    self._connection.execute(sql.FORGET, {"id": row["id"]})
        return unneeded

    def statistics(self) -> JobStatistics:
        totals = {row["state"]: row for row in self._connection.execute(sql.TOTALS)}
        (oldest,) = self._connection.execute(sql.OLDEST).fetchone()
        queued = totals["queued"]["audio_seconds"] if "queued" in totals else 0.0
        jobs: dict[JobState, int] = {state: row["jobs"] for state, row in totals.items() if state in STATES}
        tally = JobTally(dict(self._attempts), dict(self._failures), self._expired)
        return JobStatistics(jobs, queued, oldest, used_bytes(self._connection), tally)

    def needed_files(self) -> dict[str, tuple[JobLease, JobState]]:
        """The name of every file that a job needs, with what `fail` takes to fail that job."""
        found: dict[str, tuple[JobLease, JobState]] = {}
        for row in self._connection.execute(sql.WITH_FILE):
            lease = JobLease(row["id"], row["token"])
            is_done = row["state"] == "completed"
            found[result_name(lease) if is_done else audio_name(lease.job_id)] = lease, row["state"]
        return found

    def _turn(self, client: str) -> float:
        """The tag of a client's next job: behind its own, and not before what is claimed now (ADR 39)."""
        (turn,) = self._connection.execute(sql.CLOCK).fetchone()
        for state in ("queued", "in_progress"):
            (last,) = self._connection.execute(sql.LAST_TURN, {"client": client, "state": state}).fetchone()
            turn = max(turn, last or 0.0)
        return turn

    def _queue_again(self, lease: JobLease, error: JobError) -> list[str]:
        if self._job(lease.job_id).attempt >= MAX_ATTEMPTS:
            return self._fail(lease, error)
        self._change(sql.QUEUE_AGAIN, lease, not_counted=0)
        return []

    def _fail(self, lease: JobLease, error: JobError, state: JobState = "in_progress") -> list[str]:
        size = size_of(self._job(lease.job_id), 0, 0)
        self._change(sql.FAIL, lease, state=state, error=json.dumps(dict(error)), **self._ending(size))
        self._failures[error["code"] or "unknown"] += 1
        return [audio_name(lease.job_id)]

    def _change(self, statement: str, lease: JobLease, **values: Any) -> None:
        found = self._connection.execute(statement, {"id": lease.job_id, "token": lease.token} | values)
        if not found.rowcount:
            raise JobLeaseLost(LOST_LEASE)

    def _ending(self, size: int) -> dict[str, Any]:
        now = self._clock()
        return {"now": now, "expires": now + self._keep_seconds, "bytes": size}

    def _own(self, client: str, job_id: str) -> sqlite3.Row:
        row = self._row(client, job_id)
        if row["state"] == DELETED:
            raise JobGone("it was deleted")
        return row

    def _row(self, client: str, job_id: str) -> sqlite3.Row:
        row = self._connection.execute(sql.BY_ID, {"id": job_id}).fetchone()
        if row is None or row["client"] != client:
            raise NoSuchJob(job_id)
        return row

    def _job(self, job_id: str) -> Job:
        row = self._connection.execute(sql.BY_ID, {"id": job_id}).fetchone()
        if row is None or row["state"] == DELETED:
            raise JobLeaseLost(LOST_LEASE)
        return job_of(row)
