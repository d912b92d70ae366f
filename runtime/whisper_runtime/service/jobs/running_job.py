"""One job that this process transcribes: how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from whisper_runtime.engine.transcription import Segment
from whisper_runtime.service.jobs.job import Job, JobStage
from whisper_runtime.service.result_cache.flight import Flight


class RunningJob:
    """Use it in the event loop's thread, but for `begin`."""

    def __init__(self, job: Job, on_begun: Callable[[], None], on_progress: Callable[[float], None]) -> None:
        """Both are called in the event loop: once a row has begun with the job, and with each further seconds of it."""
        self.id, self.audio_seconds, self.token = job.id, job.audio_seconds, job.token
        self.segments: list[Segment] = []
        """Those that are final, as they came: of a job with several recordings in no order."""
        self.news = asyncio.Event()
        """Set, and replaced by another one, when there are more of them, or the job is over here."""
        self.is_suspect = job.attempt > 1
        """Whether it was there when a process ended: it may be the cause, and others are not to share its end."""
        self.has_begun = False
        self.done_seconds = 0.0
        """Seconds of audio that the model is done with, and the search for speakers where they are asked for."""
        self.flight: Flight | None = None
        """What it waits for; None: nothing yet."""
        self.changed = asyncio.Event()
        """Set when there is something to be noted in the store, or to be learned from it."""
        self._loop = asyncio.get_running_loop()
        self._on_begun, self._on_progress = on_begun, on_progress

    @property
    def stage(self) -> JobStage:
        return "speakers" if self.flight and self.flight.is_transcribed else "transcribing"

    def begin(self) -> None:
        """Notes that a row begins with the job; from any thread."""
        self._loop.call_soon_threadsafe(self._begin)

    def put(self, segments: Sequence[Segment]) -> None:
        """Notes a window's segments."""
        self.segments += segments
        self.announce()

    def advance(self, seconds: float) -> None:
        """Notes how many seconds of the audio the model is done with, speech or not."""
        before, self.done_seconds = self.done_seconds, min(seconds, self.audio_seconds)
        self._on_progress(max(0.0, self.done_seconds - before))
        if self.done_seconds < self.audio_seconds:  # else its end is noted next, and that is one write
            self.changed.set()
        self.announce()

    def _begin(self) -> None:
        self.has_begun = True
        self._on_begun()

    def announce(self) -> None:
        """Wakes who follows the job."""
        self.news.set()
        self.news = asyncio.Event()
