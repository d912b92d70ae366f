"""Transcribes the jobs of a store, beside a process's requests, which go before them (ADR 40)."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from contextlib import ExitStack
from functools import partial
from typing import Final

from whisper_runtime.diarization.interface import KnownSpeaker
from whisper_runtime.engine.interface import Engine, Samples, State
from whisper_runtime.engine.transcription import Transcription
from whisper_runtime.errors import HttpError, internal_error
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.media.raw_audio import UNDECLARED
from whisper_runtime.media.refusals import AudioError
from whisper_runtime.metrics.requests import RequestMetrics
from whisper_runtime.service.audio_loading import DECODE_SECONDS, Decode, LoadedAudio
from whisper_runtime.service.client_identity import label
from whisper_runtime.service.disk_quota import DiskQuota, Reservation, disk_full
from whisper_runtime.service.jobs.content import JobRequest, JobResult
from whisper_runtime.service.jobs.job import ClaimedJob, JobLease, JobLeaseLost, JobStatistics, JobStoreAway
from whisper_runtime.service.jobs.known_results import KnownResults
from whisper_runtime.service.jobs.renewal import while_renewed
from whisper_runtime.service.jobs.running_job import RunningJob
from whisper_runtime.service.jobs.store import JobStore
from whisper_runtime.service.leases import taken
from whisper_runtime.service.model_info import ServedModel
from whisper_runtime.service.model_run import run_model
from whisper_runtime.service.result_cache.flight import Flight
from whisper_runtime.service.speakers import SpeakerFinder, with_their_speakers
from whisper_runtime.service.timed_wait import set_within

LOOK_SECONDS: Final = 1.0
"""Between two looks for a job that can be claimed: another process may have queued it."""
TIDY_SECONDS: Final = 5.0
"""Between two looks for what has expired, and at the statistics."""
PAUSE_SECONDS: Final = 10.0
"""After the store or a disk had no room."""
OF_JOBS: Final = "(jobs)"
"""Who holds the disk for the samples of jobs; no client has this name."""
WITHOUT_BLAME: Final = frozenset({"shutting_down", "scratch_full", "client_scratch_full"})
"""Codes of errors that are none of the recording's: the attempt does not count."""

log = logging.getLogger(__name__)


class JobWorker:
    """Use it in the event loop's thread."""

    def __init__(
        self,
        store: JobStore,
        read_audio: Decode[DecodedAudio],
        engine: Engine,
        model: ServedModel,
        disk: DiskQuota,
        metrics: RequestMetrics,
        most_audio_seconds: float,
        known: KnownResults,
        speakers: SpeakerFinder | None = None,
    ) -> None:
        """`read_audio` is that of an AudioCodec. `speakers` None: they are not told apart.

        While running jobs have `most_audio_seconds` of audio together, no further one is claimed.
        """
        self._store, self._read_audio, self._engine, self._model = store, read_audio, engine, model
        self._disk, self._metrics = disk, metrics
        self._most_audio_seconds, self._known, self._speakers = most_audio_seconds, known, speakers
        self._running: dict[asyncio.Task[None], RunningJob] = {}
        self._wake, self._ended = asyncio.Event(), asyncio.Event()
        self._paused_until = 0.0
        self.statistics = JobStatistics({}, 0.0, None)
        """As they were TIDY_SECONDS ago; read by the thread of the metrics, too."""
        self.looked: float | None = None
        """When the store was looked at for them, by time.monotonic; None: not yet."""
        self.progress_seconds = 0.0
        """Seconds of audio by which jobs went on here, those of attempts that came to nothing among them."""

    def wake(self) -> None:
        """Looks for jobs now, for one was queued."""
        self._wake.set()

    def recheck(self, job_id: str) -> None:
        """Looks now whether the job is still to be done, where it runs here."""
        if running := self.running(job_id):
            running.changed.set()

    def running(self, job_id: str) -> RunningJob | None:
        """The job, where it runs here; None: elsewhere, or not."""
        return next((running for running in self._running.values() if running.id == job_id), None)

    async def until_a_job_ends(self, seconds: float) -> None:
        """Waits until a job ends here, for at most so many seconds."""
        await set_within(self._ended, seconds)

    async def run(self) -> None:
        """Transcribes jobs until the task is cancelled; then hands those back that are not done."""
        tidying = asyncio.create_task(self._tidy(), name="tidy jobs")
        try:
            while True:
                await self._begin_jobs()
                await set_within(self._wake, LOOK_SECONDS)
                self._wake.clear()
        finally:
            tasks = [tidying, *self._running]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _has_room(self) -> bool:
        """Whether a job may begin: the first one always, further ones while rows are free that nobody waits for.

        One that may have ended a process before runs alone.
        """
        if self._engine.state is not State.READY or time.monotonic() < self._paused_until:
            return False
        running = self._running.values()
        is_begun = all(job.has_begun and not job.is_suspect for job in running)
        is_free = self._engine.free_rows > 0 and sum(job.audio_seconds for job in running) < self._most_audio_seconds
        return not running or (is_begun and is_free)

    async def _begin_jobs(self) -> None:
        while self._has_room and (claimed := await self._claim()):
            running = RunningJob(claimed.job, on_begun=self.wake, on_progress=self._go_on)
            task = asyncio.create_task(self._work(claimed, running), name=f"job {running.id}")
            self._running[task] = running
            task.add_done_callback(self._note_end)

    def _go_on(self, seconds: float) -> None:
        self.progress_seconds += seconds

    def _note_end(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task).announce()
        self._ended.set()
        self._ended = asyncio.Event()
        self.wake()

    async def _claim(self) -> ClaimedJob | None:
        """The next job; one that is claimed while this task is cancelled is handed back."""
        try:
            return await taken(self._store.claim(self._model.info.name), lambda found: self._hand_back(found.lease))
        except Exception as error:
            self._pause("no job can be claimed", error)
            return None

    async def _work(self, claimed: ClaimedJob, running: RunningJob) -> None:
        """Takes one job to its end, or hands it back."""
        lease = claimed.lease
        try:
            await self._transcribe(claimed, running)
        except JobLeaseLost:
            log.info("job %s was cancelled, or another worker has it", lease.job_id)
        except asyncio.CancelledError:
            if self._engine.state is State.READY and not self._engine.is_stuck:
                await self._hand_back(lease)  # else the job may be the cause, and its attempt counts
            raise
        except JobStoreAway as error:
            self._pause(f"job {lease.job_id} goes on later", error)
            await self._hand_back(lease)
        except HttpError as error:
            if error.status_code == 400:
                return await self._fail(lease, error)
            if error.body["code"] not in WITHOUT_BLAME:
                return await self._retry(lease, error)
            self._pause(f"job {lease.job_id} goes on later", error)
            await self._hand_back(lease)
        except Exception:
            log.exception("job %s failed in attempt %d", lease.job_id, claimed.job.attempt)
            await self._retry(lease, internal_error())

    async def _transcribe(self, claimed: ClaimedJob, running: RunningJob) -> None:
        model, request = self._model.info, JobRequest.from_json(claimed.job.request)
        if error := request.misfit(model.abilities, diarizes=model.diarizes):
            return await self._store.fail(claimed.lease, error)
        work = self._transcription(claimed, request, running)
        found = await while_renewed(self._store, self._engine, claimed.lease, running, work)
        await self._finish(claimed, JobResult(found, model.name, model.english_only))

    async def _finish(self, claimed: ClaimedJob, result: JobResult) -> None:
        """Gives the store the result, or hands the job back where the store cannot take it. Raises JobLeaseLost."""
        content = await asyncio.to_thread(result.to_json)
        try:
            await self._store.finish(claimed.lease, content)
        except JobLeaseLost:
            await self._known.forget(claimed.job)  # the client may have deleted it meanwhile, and all that is of it
            raise
        except Exception as error:
            self._pause(f"the result of job {claimed.lease.job_id} cannot be kept", error)
            await self._hand_back(claimed.lease)

    async def _transcription(self, claimed: ClaimedJob, request: JobRequest, running: RunningJob) -> Transcription:
        """What is known of the recording, or what a run of the model comes to: that of others, or its own."""
        client = claimed.job.client
        if known := await self._known.find(client, request, running):
            return known
        with ExitStack() as held:
            disk = held.enter_context(self._disk.reservation(OF_JOBS))
            samples = await self._samples(claimed, request, disk)
            loaded, speakers = request.split(samples), request.known_speakers(samples)
            del samples
            try:
                if known := await self._known.find(client, request, running):  # of who began meanwhile
                    loaded.clear()
                    return known
            except BaseException:
                loaded.clear()  # or a traceback keeps the samples on the disk until it is collected
                raise
            work = partial(self._run, client, request, running, loaded, speakers, held.pop_all())
        return await self._known.run(client, request, running, work)

    async def _run(
        self,
        client: str,
        request: JobRequest,
        running: RunningJob,
        loaded: list[LoadedAudio],
        speakers: list[KnownSpeaker],
        held: ExitStack,
        flight: Flight,
    ) -> Transcription:
        """The work of a flight, which may go on when the job that began it is over."""
        started, asked = time.perf_counter(), request.audio_options
        with held:
            try:
                run = partial(
                    run_model,
                    self._engine,
                    loaded,
                    request.options,
                    separate_channels=request.separate_channels,
                    on_segments=flight.on_segments,
                    on_begun=running.begin,
                    client=client,
                    is_background=flight.is_background,
                )
                found = await with_their_speakers(
                    run, loaded, asked, self._speakers, speakers, flight.on_progress, flight.note_transcribed
                )
            finally:
                loaded.clear()
        self._metrics.transcribed(found, time.perf_counter() - started, label(client))
        return found

    async def _samples(self, claimed: ClaimedJob, request: JobRequest, disk: Reservation) -> Samples:
        seconds = claimed.job.audio_seconds + sum(request.references) / SAMPLE_RATE + 1
        with await self._store.audio(claimed.lease) as audio:
            try:
                decoded = await self._read_audio(
                    audio,
                    max_seconds=seconds,
                    timeout=DECODE_SECONDS,
                    on_bytes=disk.cover,
                    languages=(),
                    declared=UNDECLARED,
                )
            except AudioError as error:
                if error.reason == "NoSpace":
                    raise disk_full() from None
                raise
        return decoded.samples

    async def _hand_back(self, lease: JobLease) -> None:
        await self._end_attempt(lease, self._store.hand_back(lease), "handed back")

    async def _fail(self, lease: JobLease, error: HttpError) -> None:
        """Ends the job at once: what the client sent is wrong, and stays so."""
        await self._end_attempt(lease, self._store.fail(lease, error.body), "ended")

    async def _retry(self, lease: JobLease, error: HttpError) -> None:
        await self._end_attempt(lease, self._store.retry(lease, error.body), "queued again")

    async def _end_attempt(self, lease: JobLease, ending: Awaitable[None], what: str) -> None:
        """Has the store take in how an attempt ends; where it cannot, the lease runs out, and another one begins."""
        try:
            await ending
        except JobLeaseLost:
            pass
        except Exception as error:
            log.warning("job %s could not be %s, and its lease will run out: %s", lease.job_id, what, error)

    def _pause(self, what: str, error: Exception) -> None:
        log.warning("%s: %s; the next attempt is in %d s", what, error, PAUSE_SECONDS)
        self._paused_until = time.monotonic() + PAUSE_SECONDS

    async def _tidy(self) -> None:
        while True:
            try:
                await self._store.expire()
                looked = time.monotonic()
                self.statistics, self.looked = await self._store.statistics(), looked
            except Exception as error:
                log.warning("the store of jobs cannot be tidied: %s", error)
            await asyncio.sleep(TIDY_SECONDS)
