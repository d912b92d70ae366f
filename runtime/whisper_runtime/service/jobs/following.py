"""A job from its beginning to its end, step by step: what is known of it now, then all that becomes known."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from whisper_runtime.engine.transcription import Segment
from whisper_runtime.errors import too_many_requests, unavailable
from whisper_runtime.service.jobs.content import JobRequest, JobResult
from whisper_runtime.service.jobs.door import LOOK_SECONDS, JobDoor
from whisper_runtime.service.jobs.job import Job, JobGone, NoSuchJob
from whisper_runtime.service.jobs.running_job import RunningJob
from whisper_runtime.service.lifecycle import Phase
from whisper_runtime.service.timed_wait import set_within

MOST_AT_ONCE: Final = 1024
MOST_OF_ONE_CLIENT: Final = 128


@dataclass(frozen=True)
class FollowedJob:
    job: Job
    segments: Sequence[Segment]
    """Those that are final, from the first one on; none of a claim that is over, or that another process has."""
    result: JobResult | None
    """None: the job is not completed."""


async def follow(door: JobDoor, job: Job) -> AsyncGenerator[FollowedJob]:
    """The job now, then as often as it changes and at least every LOOK_SECONDS, until it has ended or is deleted.

    It ends early where this process has to. Channels that are transcribed by themselves have no segments before the
    end, which alone brings them into order.
    """
    has_order = not JobRequest.from_json(job.request).separate_channels
    with _counted(door, job.client), suppress(NoSuchJob, JobGone):
        while True:
            job = await door.store.get(job.client, job.id)
            running = door.worker.running(job.id)
            segments = running.segments if running and running.token == job.token and has_order else ()
            seen = len(segments)
            yield await _seen(door, job, running, tuple(segments))
            if not job.is_live or door.lifecycle.phase is not Phase.SERVING:
                return
            if running is None:
                await door.worker.until_a_job_ends(LOOK_SECONDS)
            elif len(segments) == seen:
                await set_within(running.news, LOOK_SECONDS)


def check_followers(door: JobDoor, client: str) -> None:
    """Raises HttpError (429, 503) where one more would be too many: each looks at the store every LOOK_SECONDS."""
    if door.followers[client] >= MOST_OF_ONE_CLIENT:
        message = f"You follow {MOST_OF_ONE_CLIENT} jobs: let go of one, or ask for their status."
        raise too_many_requests(message, "client_streams_full", 1)
    if door.followers.total() >= MOST_AT_ONCE:
        message = "Too many jobs are being followed: try again in a second, or ask for the job's status."
        raise unavailable(message, "streams_full", 1)


@contextmanager
def _counted(door: JobDoor, client: str) -> Generator[None]:
    door.followers[client] += 1
    try:
        yield
    finally:
        door.followers[client] -= 1
        if not door.followers[client]:
            del door.followers[client]


async def _seen(door: JobDoor, job: Job, running: RunningJob | None, segments: Sequence[Segment]) -> FollowedJob:
    """Raises JobGone."""
    if job.state == "completed":
        result = JobResult.from_json(await door.store.result(job.client, job.id))
        return FollowedJob(job, result.transcription.segments, result)
    if job.state == "in_progress" and running and running.token == job.token:
        return FollowedJob(replace(job, done_seconds=running.done_seconds), segments, None)
    return FollowedJob(job, (), None)
