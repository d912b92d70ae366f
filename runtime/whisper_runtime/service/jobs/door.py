"""Where requests become jobs, and clients wait for them."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from whisper_runtime.engine.interface import Engine
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.audio_loading import MediaFile
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.jobs.intake import JobIntake, SubmittedForm
from whisper_runtime.service.jobs.job import Job, JobStage, PlacedJob
from whisper_runtime.service.jobs.known_results import KnownResults
from whisper_runtime.service.jobs.outbox import Delivery, DeliveryOutbox
from whisper_runtime.service.jobs.store import JobStore
from whisper_runtime.service.lifecycle import Lifecycle, Phase

if TYPE_CHECKING:  # every server imports the door, and few keep jobs
    from whisper_runtime.service.jobs.worker import JobWorker
    from whisper_runtime.service.webhooks.deliverer import WebhookDeliverer

LOOK_SECONDS: Final = 1.0
"""Between two looks at a job that somebody waits for: another process may end it."""


@dataclass(frozen=True)
class JobProgress:
    """What a client may expect of a job; None: it is not queued, or has ended."""

    jobs_ahead: int | None
    seconds_left: float | None
    """Until its end, at the engine's present speed."""
    stage: JobStage | None = None
    """None: it does not run, or another process has it."""


class TakesJobs(Protocol):
    """Where a request becomes a job, and its client may wait for it: a server's door, or a front's."""

    @property
    def store(self) -> JobStore: ...

    @property
    def deliverer(self) -> WebhookDeliverer | None:
        """None: it sends no events, and takes no address for them."""
        ...

    @property
    def speed(self) -> float:
        """Seconds of audio that are transcribed in a second, as far as is known."""
        ...

    async def submit(self, source: MediaFile | RemoteFile, admitted: Admitted, form: SubmittedForm) -> Job:
        """As JobIntake.submit."""
        ...

    async def wait(self, client: str, job_id: str, seconds: float) -> PlacedJob:
        """The job once it has ended, or as it is after so many seconds. Raises NoSuchJob, JobGone."""
        ...

    def progress(self, placed: PlacedJob) -> JobProgress: ...


@dataclass(frozen=True)
class JobDoor:
    store: JobStore
    intake: JobIntake
    worker: JobWorker
    engine: Engine
    lifecycle: Lifecycle
    outbox: DeliveryOutbox
    deliverer: WebhookDeliverer | None
    """None: this server sends no events, as it may connect to no host."""
    known: KnownResults
    followers: Counter[str] = field(default_factory=Counter[str])
    """How many follow a job now, by client."""

    @property
    def speed(self) -> float:
        """Seconds of audio that the process transcribes in a second."""
        return self.engine.speed

    async def submit(self, source: MediaFile | RemoteFile, admitted: Admitted, form: SubmittedForm) -> Job:
        """As JobIntake.submit; the worker knows of it."""
        job = await self.intake.submit(source, admitted, form)
        self.worker.wake()
        return job

    async def wait(self, client: str, job_id: str, seconds: float) -> PlacedJob:
        """The job once it has ended, or as it is after so many seconds, or when this process has to end.

        Raises NoSuchJob, JobGone.
        """
        ends = time.monotonic() + seconds
        while True:
            placed = await self.store.placed(client, job_id)
            left = ends - time.monotonic()
            if not placed.job.is_live or left <= 0 or self.lifecycle.phase is not Phase.SERVING:
                return placed
            await self.worker.until_a_job_ends(min(left, LOOK_SECONDS))

    def progress(self, placed: PlacedJob) -> JobProgress:
        running = self.worker.running(placed.job.id)
        return progress_of(placed, self.speed, running.stage if running else None)

    async def delivery(self, job: Job) -> Delivery | None:
        """What became of the job's last event; None: it has none, or none yet."""
        return await self.outbox.latest(job.id) if job.webhook_url and not job.is_live else None

    async def cancel(self, client: str, job_id: str) -> Job:
        """As the store does; one that runs here stops within a window. Raises NoSuchJob, JobGone."""
        job = await self.store.cancel(client, job_id)
        self.worker.recheck(job_id)
        return job

    async def delete(self, client: str, job_id: str) -> None:
        """The same; its result is known no longer either."""
        job = await self.store.get(client, job_id)
        await self.store.delete(client, job_id)
        await self.known.forget(job)
        self.worker.recheck(job_id)

    async def close(self) -> None:
        """Lets go of what the process holds; the jobs and their events stay."""
        await self.outbox.close()
        await self.store.close()


def progress_of(placed: PlacedJob, speed: float, stage: JobStage | None = None) -> JobProgress:
    """What the client of the job may expect where so many seconds of audio are transcribed in a second.

    `stage`: of a job that this process runs.
    """
    job, ahead = placed.job, placed.ahead
    left = job.audio_seconds - job.done_seconds
    match job.state:
        case "queued":
            return JobProgress(ahead.jobs, (ahead.audio_seconds + left) / speed)
        case "in_progress":
            return JobProgress(None, left / speed, stage)
        case _:
            return JobProgress(None, None)
