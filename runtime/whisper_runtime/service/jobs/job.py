"""A job: one recording that was accepted, from then on until its transcription is forgotten."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

JobState = Literal["queued", "in_progress", "completed", "failed", "cancelled", "expired"]
LIVE: Final[frozenset[JobState]] = frozenset({"queued", "in_progress"})
"""The states in which a job still needs its audio."""
JobError = Mapping[str, str | None]
"""OpenAI's four fields of an error: message, type, param, code."""
JobStage = Literal["transcribing", "speakers"]
"""What a job that runs does: the model's work, with the search for speakers beside it, or what is left of that."""

AttemptOutcome = Literal["completed", "failed", "handed_back", "lease_lost"]
"""How an attempt at a job ended: by its result, by an error, by a worker that had to stop, by one that died or hung."""

MAX_ATTEMPTS: Final = 3
"""A recording that ends the server as often as this is not tried again, so that it cannot do so for ever."""
ABANDONED: Final[JobError] = {
    "message": f"The server ended or hung {MAX_ATTEMPTS} times while it transcribed this recording: "
    "send it in parts, or converted to another format.",
    "type": "server_error",
    "param": None,
    "code": "job_abandoned",
}
LOST: Final[JobError] = {
    "message": "The job's file is missing from the server's disk: send the recording again.",
    "type": "server_error",
    "param": None,
    "code": "job_file_lost",
}


@dataclass(frozen=True)
class JobDraft:
    """What a client hands in."""

    client: str
    """The name of who sent it; nobody else sees the job."""
    request: str
    """JSON of request.JobRequest; the store does not read it."""
    audio_seconds: float
    """Seconds of audio to be transcribed, of all channels together."""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    idempotency_key: str | None = None
    """The client's own name of the request: the same key is the same job. None: each request is a job."""
    body_digest: str = ""
    """Of everything that the client sent, to see whether a key names another request."""
    webhook_url: str | None = None
    """Where an event says that the job has ended; None: nowhere."""


@dataclass(frozen=True)
class Job(JobDraft):
    """A job as its store has it. Times are Unix times in seconds; None: not yet."""

    id: str = ""
    state: JobState = "queued"
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    expires: float | None = None
    """When the result is deleted."""
    done_seconds: float = 0.0
    """Seconds of audio that are done with, by model and search for speakers, of the present attempt."""
    attempt: int = 0
    """How often a worker began with it, and was not asked to stop."""
    error: JobError | None = None
    """Why it failed; None: it did not."""
    model: str | None = None
    """The model that runs it, or has run it: all of the job runs on one."""
    token: int = 0
    """That of its last lease; 0: no worker has claimed it."""

    @property
    def is_live(self) -> bool:
        return self.state in LIVE


@dataclass(frozen=True)
class JobLease:
    """One worker's right to end a job, until it runs out or the job is somebody else's."""

    job_id: str
    token: int
    """Grows with each claim of the job, so that who lost it cannot end it (a fencing token)."""


@dataclass(frozen=True)
class ClaimedJob:
    lease: JobLease
    job: Job


@dataclass(frozen=True)
class JobPage:
    """A part of a client's jobs, newest first."""

    jobs: tuple[Job, ...]
    has_more: bool


@dataclass(frozen=True)
class JobsAhead:
    """What is claimed before a queued job."""

    jobs: int
    audio_seconds: float


@dataclass(frozen=True)
class PlacedJob:
    """A job as it was at one moment, and where it was in the queue then."""

    job: Job
    ahead: JobsAhead = JobsAhead(0, 0.0)
    """Nothing where the job is not queued."""


@dataclass(frozen=True)
class JobTally:
    """What this process saw come about in the store since it opened that."""

    attempts: Mapping[AttemptOutcome, int] = field(default_factory=dict[AttemptOutcome, int])
    """Attempts that ended, by how; none that a client cancelled."""
    failures: Mapping[str, int] = field(default_factory=dict[str, int])
    """Jobs that failed for good, by the code of their error."""
    expired: int = 0
    """Results that were deleted for their age."""


@dataclass(frozen=True)
class JobStatistics:
    jobs: Mapping[JobState, int]
    """The number of jobs in each state; none that were deleted."""
    queued_audio_seconds: float
    oldest_created: float | None
    """Unix time at which the oldest queued job was accepted; None: none is queued."""
    used_bytes: int = 0
    """What jobs take of the store, with the room that is kept for results."""
    tally: JobTally = JobTally()


class NoSuchJob(Exception):
    """The client has no job of this id: it never had one, or it is forgotten."""


class JobGone(Exception):
    """The job was deleted, or its result is; the message says which."""


class JobNotDone(Exception):
    """The job has no result: it is not done, or it has failed or was cancelled."""


class KeyReused(Exception):
    """The client's idempotency key belongs to a job that was made of another request."""


class KeyInUse(Exception):
    """A request with the client's idempotency key is on its way to be a job."""


class JobStoreFull(Exception):
    """The store, or its disk, has no room for what was asked, which was not done; nothing that it has is lost."""


class JobStoreAway(Exception):
    """The store cannot be reached; whether it has done what was asked is not known."""


class JobQuotaReached(Exception):
    """The client has as many seconds of audio queued as it may have."""

    def __init__(self, queued: float, limit: float, excess: float) -> None:
        """In seconds of audio; `excess`: what of the client's jobs has to begin before this one is taken."""
        super().__init__(
            f"Your jobs that wait have {queued:.0f} s of audio, and may have {limit:.0f} s: send this one again when "
            "some of them have begun."
        )
        self.excess = excess


class JobLeaseLost(Exception):
    """The job was cancelled, deleted or claimed by another worker, or it has ended: what was done for it is void."""


def new_job_id() -> str:
    return f"tr_{secrets.token_hex(16)}"
