"""Results that a process keeps, and runs of the model that lead to one, taken and left by its jobs (ADRs 47, 64)."""

from __future__ import annotations

from functools import partial

from whisper_runtime.engine.transcription import Transcription
from whisper_runtime.service.jobs.content import JobRequest
from whisper_runtime.service.jobs.job import Job
from whisper_runtime.service.jobs.running_job import RunningJob
from whisper_runtime.service.result_cache.cache import ResultCache
from whisper_runtime.service.result_cache.content import KnownResult
from whisper_runtime.service.result_cache.directives import NO_DIRECTIVES
from whisper_runtime.service.result_cache.flight import Flight, Work
from whisper_runtime.service.result_cache.metrics import Outcome


class KnownResults:
    def __init__(self, cache: ResultCache | None) -> None:
        """`cache` None: the process keeps none."""
        self._cache = cache

    @property
    def is_on(self) -> bool:
        return self._cache is not None

    async def find(self, client: str, request: JobRequest, running: RunningJob) -> Transcription | None:
        """What is kept of the job's recording, or what a run for the same comes to that is under way.

        None: neither, or the job does not take it. Raises what the run raises.
        """
        if self._cache is None or not (key := self._key(self._cache, client, request)):
            return None
        if hit := await self._cache.hit(key, NO_DIRECTIVES):
            return self._saved(self._cache, "hit", hit.result)
        if flight := self._cache.flight(key):
            running.begin()  # it needs no row of its own
            return self._saved(self._cache, "join", await _landed(flight, running))
        return None

    async def run(self, client: str, request: JobRequest, running: RunningJob, work: Work) -> Transcription:
        """What `work` comes to; others may join it, and its result is kept, unless the job has both for itself."""
        if self._cache is None or not (key := self._key(self._cache, client, request)):
            flight = Flight(partial(_for_itself, work), lambda: None, yields=True)
        else:
            flight = self._cache.begin(key, work, yields=True)
        return (await _landed(flight, running)).transcription

    async def forget(self, job: Job) -> None:
        """Keeps what the job came to no longer."""
        if self._cache is not None and (key := self._key(self._cache, job.client, JobRequest.from_json(job.request))):
            await self._cache.forget(key)

    def _saved(self, cache: ResultCache, outcome: Outcome, found: KnownResult) -> Transcription:
        cache.metrics.requested(outcome)
        cache.metrics.saved(found.transcription.audio_seconds, found.model_seconds)
        return found.transcription

    def _key(self, cache: ResultCache, client: str, request: JobRequest) -> str | None:
        """None: a kept result is not to be taken, nor the job's to be kept."""
        if (digest := request.audio_digest) is None or not cache.keeps(request.options):
            return None
        return cache.key(client, digest, request.options, request.audio_options)


async def _landed(flight: Flight, running: RunningJob) -> KnownResult:
    running.flight = flight
    return await flight.join(running.put, running.advance, yields=True)


async def _for_itself(work: Work, flight: Flight) -> KnownResult:
    return KnownResult(await work(flight), flight.windows, 0.0)
