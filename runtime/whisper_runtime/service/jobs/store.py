"""What every store of jobs can do. Nothing in it assumes one process: leases and their tokens take turns in the store.

tests/runtime/service/jobs/conformance.py holds each backend to it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import IO, Final, Protocol

from whisper_runtime.service.jobs.job import (
    ClaimedJob,
    Job,
    JobDraft,
    JobError,
    JobLease,
    JobPage,
    JobState,
    JobStatistics,
    PlacedJob,
)

LEASE_SECONDS: Final = 60.0
"""A worker that does not renew its lease for so long has ended or hangs: another one takes the job."""


class CannotKeepJobs(Exception):
    """The directory of jobs cannot be used; the message names it, and the remedy."""


def cannot_keep(directory: str | None, error: Exception, remedy: str) -> CannotKeepJobs:
    """`directory`: what WHISPER_JOBS_DIR is."""
    return CannotKeepJobs(f"WHISPER_JOBS_DIR is {directory}, where no job can be kept ({error}): {remedy}")


class JobStore(Protocol):
    """Keeps jobs, their audio and their results. What `put` has returned is never lost.

    The client's verbs raise NoSuchJob for the id of a job that is not this client's, and JobGone for a deleted one.
    The worker's verbs take a lease and raise JobLeaseLost, and change nothing, where it is not the job's present one.
    """

    async def put(self, draft: JobDraft, audio: IO[bytes]) -> Job:
        """Queues a job, whose `audio` is read from its beginning; it is on the disk when this returns.

        A draft with the idempotency key of a job that is there is that job. Raises KeyReused where that was made of
        another request, JobStoreFull where there is no room, JobQuotaReached where the client has queued too much.
        To cancel the task does not undo it: once that has ended, the job is queued, or it never will be.
        """
        ...

    async def check_quota(self, client: str) -> None:
        """Raises JobQuotaReached where `put` would, whatever the length of the client's next job."""
        ...

    async def with_key(self, client: str, key: str, body_digest: str) -> Job | None:
        """The job that `put` would return for a draft with this idempotency key; None: none yet. Raises KeyReused."""
        ...

    async def made_by(self, client: str, keys: Collection[str], body_digest: str) -> list[Job]:
        """The client's jobs that have one of these idempotency keys and were made of that body, in no order.

        For who acts on what is there now: unlike of `with_key`, nobody may be told of what it says that a job is kept.
        """
        ...

    async def get(self, client: str, job_id: str) -> Job: ...

    async def find(self, client: str, job_ids: Collection[str]) -> list[Job]:
        """Those of these jobs that the client has, in no order; without the deleted ones."""
        ...

    async def page(self, client: str, *, after: str | None, limit: int, state: JobState | None) -> JobPage:
        """The client's jobs, newest first, at most `limit`, of those older than the job `after`.

        None: from the newest on; jobs of any `state`. Raises NoSuchJob where `after` is none of the client's.
        """
        ...

    async def placed(self, client: str, job_id: str) -> PlacedJob:
        """The job, with what is claimed before it. The seconds are an estimate behind many."""
        ...

    async def result(self, client: str, job_id: str) -> bytes:
        """What `finish` was given. Raises JobGone where that was deleted, JobNotDone where there is none (yet)."""
        ...

    async def cancel(self, client: str, job_id: str) -> Job:
        """The job, cancelled unless it has ended; its audio is deleted."""
        ...

    async def delete(self, client: str, job_id: str) -> None:
        """Deletes audio, result, and all that the client sent; its id is remembered for as long as a result is."""
        ...

    async def claim(self, model: str | None = None) -> ClaimedJob | None:
        """The next job, with a lease of LEASE_SECONDS; None: no job is queued. It notes the `model` that is to run it.

        Clients take turns by seconds of audio, so that a hundred recordings of one do not keep back those of others;
        one client's jobs go in the order in which they came. A job whose lease ran out is queued again, or failed
        after MAX_ATTEMPTS.
        """
        ...

    async def audio(self, lease: JobLease) -> IO[bytes]:
        """The job's audio, open for reading: the caller closes it."""
        ...

    async def renew(self, lease: JobLease, done_seconds: float) -> None:
        """Makes the lease last for LEASE_SECONDS from now on, and notes the progress."""
        ...

    async def finish(self, lease: JobLease, result: bytes) -> None:
        """Completes the job."""
        ...

    async def retry(self, lease: JobLease, error: JobError) -> None:
        """Queues the job again, where it was; after MAX_ATTEMPTS it has failed with `error`."""
        ...

    async def fail(self, lease: JobLease, error: JobError) -> None:
        """Ends the job, which no further attempt can help."""
        ...

    async def hand_back(self, lease: JobLease) -> None:
        """Queues the job again, where it was, as if it had not been claimed: the worker has to stop."""
        ...

    async def expire(self) -> None:
        """Deletes what is older than it may be; to be called every few minutes by any process."""
        ...

    async def statistics(self) -> JobStatistics: ...

    async def close(self) -> None:
        """Lets go of what the process holds; the jobs stay."""
        ...
