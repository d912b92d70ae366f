"""Where requests become jobs, and clients wait for them."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from whisper_runtime.engine.interface import Engine
from whisper_runtime.engine.transcription import Options
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.audio_loading import DECODE_SECONDS, AudioOptions, LoadedAudio, MediaFile
from whisper_runtime.service.downloads import RemoteFile
from whisper_runtime.service.jobs.content import JobRequest, KeepAudio, KeptRecording
from whisper_runtime.service.jobs.job import Job, JobDraft, JobStage, KeyInUse, PlacedJob
from whisper_runtime.service.jobs.known_results import KnownResults
from whisper_runtime.service.jobs.outbox import Delivery, DeliveryOutbox
from whisper_runtime.service.jobs.store import JobStore
from whisper_runtime.service.lifecycle import Lifecycle, Phase
from whisper_runtime.service.result_cache.keys import audio_digest
from whisper_runtime.service.speaker_options import counted
from whisper_runtime.service.transcribe import Transcriber

if TYPE_CHECKING:  # every server imports the door, and few keep jobs
    from whisper_runtime.service.jobs.worker import JobWorker
    from whisper_runtime.service.webhooks.deliverer import WebhookDeliverer

LOOK_SECONDS: Final = 1.0
"""Between two looks at a job that somebody waits for: another process may end it."""


@dataclass(frozen=True)
class SubmittedForm:
    """What a client asks for, beside its file."""

    options: Options
    audio_options: AudioOptions
    response: Mapping[str, Any]
    """JSON of the response that it wants."""
    metadata: Mapping[str, str]
    idempotency_key: str | None
    body_digest: str
    webhook_url: str | None
    uses_results: bool = True
    """Whether a result that is kept may be taken, and this one kept."""


@dataclass(frozen=True)
class JobProgress:
    """What a client may expect of a job; None: it is not queued, or has ended."""

    jobs_ahead: int | None
    seconds_left: float | None
    """Until its end, at the engine's present speed."""
    stage: JobStage | None = None
    """None: it does not run, or another process has it."""


@dataclass(frozen=True)
class JobDoor:
    store: JobStore
    worker: JobWorker
    transcriber: Transcriber
    keep_audio: KeepAudio
    engine: Engine
    lifecycle: Lifecycle
    outbox: DeliveryOutbox
    deliverer: WebhookDeliverer | None
    """None: this server sends no events, as it may connect to no host."""
    known: KnownResults
    submitting: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    """Client and idempotency key of each request that is on its way to be a job."""
    followers: Counter[str] = field(default_factory=Counter[str])
    """How many follow a job now, by client."""

    async def submit(self, source: MediaFile | RemoteFile, admitted: Admitted, form: SubmittedForm) -> Job:
        """The job of this request; where the client repeats one, the job that it has.

        The recording is decoded first, so that what cannot be is refused here. Raises HttpError as Transcriber.load
        does, KeyReused, KeyInUse, JobStoreFull, and JobQuotaReached; that before the recording is decoded where it can
        be.
        """
        client, key = admitted.client, form.idempotency_key
        if key and (found := await self.store.with_key(client, key, form.body_digest)):
            return found
        await self.store.check_quota(client)
        with self._claimed_key(client, key):
            return await self._submit(source, admitted, form)

    @contextmanager
    def _claimed_key(self, client: str, key: str | None) -> Generator[None]:
        """Keeps other requests with this key away meanwhile; another process' are sorted out by the store alone."""
        if key is None:
            yield
            return
        if (client, key) in self.submitting:
            raise KeyInUse
        self.submitting.add((client, key))
        try:
            yield
        finally:
            self.submitting.remove((client, key))

    async def _submit(self, source: MediaFile | RemoteFile, admitted: Admitted, form: SubmittedForm) -> Job:
        client = admitted.client
        with admitted.samples as disk, tempfile.TemporaryFile() as kept:
            speakers = form.audio_options.speakers
            known = [one.samples for one in await self.transcriber.known_speakers(form.audio_options)]
            loaded = await self.transcriber.load(source, admitted, disk, form.options, form.audio_options)
            recordings = tuple(KeptRecording(len(one.samples), one.clips) for one in loaded)
            seconds = sum(one.samples for one in recordings) / SAMPLE_RATE
            try:
                admitted.charge_audio(counted(seconds, speakers))
                disk.set(disk.size * 2)  # for the file beside the samples, too
                await self.keep_audio([*(one.samples for one in loaded), *known], kept, DECODE_SECONDS)
                digest = await self._digest(loaded, form)
            finally:
                loaded.clear()  # or a traceback keeps the samples on the disk until it is collected
            request = JobRequest(
                form.options,
                recordings,
                form.audio_options.separate_channels,
                form.response,
                digest,
                form.audio_options.detection,
                speakers and speakers.without_content(),
                tuple(map(len, known)),
            )
            draft = JobDraft(
                client,
                request.to_json(),
                seconds,
                form.metadata,
                form.idempotency_key,
                form.body_digest,
                form.webhook_url,
            )
            job = await self.store.put(draft, kept)
        self.worker.wake()
        return job

    async def _digest(self, loaded: Sequence[LoadedAudio], form: SubmittedForm) -> str | None:
        """By which the result may be known; None: it may not."""
        if not (self.known.is_on and form.uses_results):
            return None
        return await asyncio.to_thread(audio_digest, [one.samples for one in loaded])

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
        job, ahead = placed.job, placed.ahead
        left = job.audio_seconds - job.done_seconds
        match job.state:
            case "queued":
                return JobProgress(ahead.jobs, (ahead.audio_seconds + left) / self.engine.speed)
            case "in_progress":
                running = self.worker.running(job.id)
                return JobProgress(None, left / self.engine.speed, running.stage if running else None)
            case _:
                return JobProgress(None, None)

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
