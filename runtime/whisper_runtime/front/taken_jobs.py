"""Takes jobs while no server is there: what is accepted is in the servers' store, whatever becomes of this front.

The servers' own routes take them, over their own store; whatever is wrong with a request, a server says (ADR 112).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from starlette.types import Message, Scope

from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.front.front_store import FrontStore, UsableStore, knows_servers
from whisper_runtime.front.own_answer import own_answer
from whisper_runtime.front.spool import SpooledBody
from whisper_runtime.http.prefer import Preference
from whisper_runtime.http.request_state import KEY, state_of

if TYPE_CHECKING:
    from whisper_runtime.http.front_routes import FrontRoutes
    from whisper_runtime.service.admitted import Admitted
    from whisper_runtime.service.audio_loading import MediaFile
    from whisper_runtime.service.downloads import RemoteFile
    from whisper_runtime.service.jobs.door import JobProgress
    from whisper_runtime.service.jobs.intake import JobIntake, SubmittedForm
    from whisper_runtime.service.jobs.job import Job, PlacedJob
    from whisper_runtime.service.jobs.store import JobStore

TAKEN_AT_ONCE: Final = 1
"""Recordings that are decoded: a decoder takes a processor, and some hundred MB of the front's memory."""


def takes_jobs(config: RuntimeConfig) -> bool:
    """Whether a front that is configured so reaches the servers' jobs: all of them is in the store, or in a bucket."""
    return knows_servers(config) and config.jobs_store == "redis" and config.jobs_dir is None


class TakenJobs:
    """In the event loop's thread."""

    def __init__(self, store: FrontStore, speed: Callable[[], float], on_taken: Callable[[], None]) -> None:
        """`speed`: seconds of audio that a server transcribes in a second. `on_taken` is called for each job."""
        self._store, self._speed, self._on_taken = store, speed, on_taken
        self._jobs: FrontJobs | None = None
        self._routes: FrontRoutes | None = None
        self._places = asyncio.Semaphore(TAKEN_AT_ONCE)

    async def answer(self, scope: Scope, body: SpooledBody) -> list[Message]:
        """The answer to the request for a job whose body that is; empty: a server is to have it."""
        if (opened := self._store.in_use) is None:
            return []
        async with self._places:
            if await self._store.facts(opened) is None:
                return []
            if self._routes is None:
                self._jobs, self._routes = await asyncio.to_thread(self._open, opened)
            # Nobody waits here for a result: it would keep the next recording from being taken.
            state = replace(state_of(scope), preference=Preference())
            return await own_answer(self._routes.answer, {**scope, "state": {KEY: state}}, body)

    async def close(self) -> None:
        """Lets go of the store; the jobs stay."""
        if self._jobs is not None:
            await self._jobs.store.close()

    def _open(self, opened: UsableStore) -> tuple[FrontJobs, FrontRoutes]:
        from whisper_runtime.front.recording_reader import FileReader
        from whisper_runtime.http.file_digest import DigestingParser
        from whisper_runtime.http.front_routes import FrontRoutes
        from whisper_runtime.media.decode import decode
        from whisper_runtime.media.kept_audio import keep_audio
        from whisper_runtime.service.jobs.intake import JobIntake
        from whisper_runtime.service.jobs.open_shared import open_shared
        from whisper_runtime.service.result_cache.kept_transcriber import NothingKept

        config = self._store.config
        reader = FileReader(decode, opened.rates, config.max_audio_seconds)
        store = open_shared(None, config, opened.shared.note_lost_jobs)
        intake = JobIntake(store, reader, keep_audio, keeps_results=config.result_cache_max_bytes is not None)
        jobs = FrontJobs(intake, self._speed, self._on_taken)
        return jobs, FrontRoutes(opened.model, lambda _: NothingKept(), DigestingParser, jobs)


@dataclass(frozen=True)
class FrontJobs:
    """Where requests become jobs while nobody runs them (TakesJobs)."""

    intake: JobIntake
    known_speed: Callable[[], float]
    on_taken: Callable[[], None]
    deliverer: None = None
    """Addresses of events are for servers, which send them."""

    @property
    def store(self) -> JobStore:
        return self.intake.store

    @property
    def speed(self) -> float:
        return self.known_speed()

    async def submit(self, source: MediaFile | RemoteFile, admitted: Admitted, form: SubmittedForm) -> Job:
        job = await self.intake.submit(source, admitted, form)
        self.on_taken()
        return job

    async def wait(self, client: str, job_id: str, seconds: float) -> PlacedJob:
        """The job as it is: nobody works on it."""
        return await self.store.placed(client, job_id)

    def progress(self, placed: PlacedJob) -> JobProgress:
        from whisper_runtime.service.jobs.door import progress_of

        return progress_of(placed, self.speed)
