"""One job that this process transcribes: how far it is, as the engine's thread reports it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from whisper_runtime.engine.interface import OnSegments
from whisper_runtime.engine.transcription import Segment
from whisper_runtime.service.jobs.job import Job


class RunningJob:
    """Made in the event loop that reads it."""

    def __init__(self, job: Job, on_begun: Callable[[], None], on_progress: Callable[[float], None]) -> None:
        """Both are called in the event loop: once a row has begun with the job, and with each further seconds of it."""
        self.id, self.audio_seconds, self.token = job.id, job.audio_seconds, job.token
        self.segments: list[Segment] = []
        """Those that are final, as they came: of a job with several recordings in no order."""
        self.windows: list[int] = []
        """How many of them became final at once."""
        self.news = asyncio.Event()
        """Set, and replaced by another one, when there are more of them, or the job is over here."""
        self.is_suspect = job.attempt > 1
        """Whether it was there when a process ended: it may be the cause, and others are not to share its end."""
        self.has_begun = False
        self.changed = asyncio.Event()
        """Set when there is something to be noted in the store, or to be learned from it."""
        self._loop = asyncio.get_running_loop()
        self._on_begun, self._on_progress = on_begun, on_progress
        self._done: dict[int, float] = {}

    @property
    def done_seconds(self) -> float:
        """Seconds of audio that are transcribed."""
        return min(sum(self._done.values()), self.audio_seconds)

    def begin(self) -> None:
        """Notes that a row begins with the job; from any thread."""
        self._loop.call_soon_threadsafe(self._begin)

    def on_segments(self, recording: int) -> OnSegments:
        """Notes the segments of that one of the job's recordings; from any thread."""

        def note(segments: Sequence[Segment]) -> None:
            self._loop.call_soon_threadsafe(self._advance, recording, segments)

        return note

    def _begin(self) -> None:
        self.has_begun = True
        self._on_begun()

    def announce(self) -> None:
        """Wakes who follows the job."""
        self.news.set()
        self.news = asyncio.Event()

    def _advance(self, recording: int, segments: Sequence[Segment]) -> None:
        before = self.done_seconds
        self._done[recording] = max(self._done.get(recording, 0.0), segments[-1].end)
        self._on_progress(self.done_seconds - before)
        self.segments += segments
        self.windows.append(len(segments))
        self.changed.set()
        self.announce()
