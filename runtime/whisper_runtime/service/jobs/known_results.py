"""Results that a process keeps, taken and left by its jobs (ADR 47)."""

from __future__ import annotations

from collections.abc import Sequence

from whisper_runtime.engine.transcription import Transcription
from whisper_runtime.service.jobs.content import JobRequest
from whisper_runtime.service.jobs.job import Job
from whisper_runtime.service.result_cache.cache import ResultCache
from whisper_runtime.service.result_cache.directives import NO_DIRECTIVES


class KnownResults:
    def __init__(self, cache: ResultCache | None) -> None:
        """`cache` None: the process keeps none."""
        self._cache = cache

    @property
    def is_on(self) -> bool:
        return self._cache is not None

    async def find(self, client: str, request: JobRequest) -> Transcription | None:
        """What is kept of the job's recording; None: nothing, or the job does not take it."""
        if self._cache is None or not (key := self._key(self._cache, client, request)):
            return None
        hit = await self._cache.hit(key, NO_DIRECTIVES)
        self._cache.metrics.requested("hit" if hit else "miss")
        if hit is None:
            return None
        found = hit.result.transcription
        self._cache.metrics.saved(found.audio_seconds, hit.result.model_seconds)
        return found

    async def keep(self, client: str, request: JobRequest, found: Transcription, windows: Sequence[int]) -> None:
        """Keeps what the job came to, unless it is not to be; `windows`: how many segments became final at once."""
        if self._cache is not None and (key := self._key(self._cache, client, request)):
            await self._cache.keep(key, found, windows)

    async def forget(self, job: Job) -> None:
        """Keeps what the job came to no longer."""
        if self._cache is not None and (key := self._key(self._cache, job.client, JobRequest.from_json(job.request))):
            await self._cache.forget(key)

    def _key(self, cache: ResultCache, client: str, request: JobRequest) -> str | None:
        """None: a kept result is not to be taken, nor the job's to be kept."""
        if (digest := request.audio_digest) is None or not cache.keeps(request.options):
            return None
        return cache.key(client, digest, request.options, request.audio_options)
