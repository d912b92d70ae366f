"""One file on its way to text: disk, decoder, queue, model. It ends when its task or its time does."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from whisper_runtime.diarization.interface import KnownSpeaker
from whisper_runtime.engine.interface import Engine, OnProgress, OnSegments
from whisper_runtime.engine.transcription import Options, Segment, Transcription
from whisper_runtime.errors import out_of_time
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.metrics.requests import RequestMetrics
from whisper_runtime.service import tracing
from whisper_runtime.service.admission import Admission
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.audio_loading import DEFAULT_AUDIO, AudioLoader, AudioOptions, LoadedAudio, MediaFile
from whisper_runtime.service.client_identity import label
from whisper_runtime.service.disk_quota import Reservation
from whisper_runtime.service.downloads import Downloader, RemoteFile
from whisper_runtime.service.model_run import run_model
from whisper_runtime.service.speaker_options import counted
from whisper_runtime.service.speakers import SpeakerFinder, with_their_speakers


class SegmentStream:
    """The segments of one running transcription, as they become final. Made in the event loop that reads it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.accepted = asyncio.Event()
        """Set once the recording is decoded and has its place in the queue."""
        self._segments: asyncio.Queue[Sequence[Segment] | None] = asyncio.Queue()

    def on_segments(self, segments: Sequence[Segment]) -> None:
        """Passes on the segments of one window, from the engine's thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
            self._loop.call_soon_threadsafe(self.put, segments)

    def put(self, segments: Sequence[Segment]) -> None:
        """The same, in the event loop's thread."""
        self._segments.put_nowait(segments)

    def end(self, work: asyncio.Task[Transcription]) -> None:
        """Ends the stream with its `work`; retrieves the error, which asyncio would log if it is never retrieved."""
        if not work.cancelled():
            work.exception()
        self._segments.put_nowait(None)

    async def next_window(self) -> Sequence[Segment] | None:
        """Waits for the next window's segments; None: there are no more."""
        return await self._segments.get()


class RequestTranscriber(Protocol):
    """What a route has its recording transcribed by."""

    @property
    def takes_urls(self) -> bool:
        """Whether a recording may be on another server."""
        ...

    async def transcribe(
        self,
        source: MediaFile | RemoteFile,
        admitted: Admitted,
        options: Options,
        stream: SegmentStream | None = None,
        audio_options: AudioOptions = DEFAULT_AUDIO,
    ) -> Transcription:
        """As Transcriber.transcribe."""
        ...


@dataclass(frozen=True)
class Transcriber:
    """Takes a file through decoder, queue and model."""

    engine: Engine
    downloader: Downloader
    loader: AudioLoader
    admission: Admission
    metrics: RequestMetrics
    request_timeout: float
    """Seconds that a request may take in all."""
    speakers: SpeakerFinder | None = None
    """None: no request may ask for speakers."""

    @property
    def takes_urls(self) -> bool:
        """Whether a recording may be on another server."""
        return self.downloader.is_on

    async def transcribe(
        self,
        source: MediaFile | RemoteFile,
        admitted: Admitted,
        options: Options,
        stream: SegmentStream | None = None,
        audio_options: AudioOptions = DEFAULT_AUDIO,
    ) -> Transcription:
        """The transcription of `source`, of a request that was `admitted`.

        `stream` gets the segments as they become final; None: only the whole is wanted. Cancelling the task frees its
        place in the queue and its disk. Raises HttpError: 400 for a bad file, 413 for too long a recording, 429 for a
        full queue, 502 where another server fails, 503 where device or process cannot go on, 504 where the time is
        over.
        """
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self.request_timeout):
                until_text = self.until_text(started, stream.on_segments if stream else None)
                found = await self._transcribe(source, admitted, options, audio_options, stream, until_text)
        except TimeoutError:
            raise out_of_time(self.request_timeout) from None
        self.metrics.transcribed(found, time.perf_counter() - started, label(admitted.client))
        note_text(found)
        return found

    async def _transcribe(
        self,
        source: MediaFile | RemoteFile,
        admitted: Admitted,
        options: Options,
        audio_options: AudioOptions,
        stream: SegmentStream | None,
        on_segments: OnSegments,
    ) -> Transcription:
        with ExitStack() as held:
            disk = held.enter_context(admitted.samples)
            known = await self.known_speakers(audio_options)
            loaded = await self.load(source, admitted, disk, options, audio_options)
            try:
                held.enter_context(self.admission.after_decoding(admitted, counted_seconds(loaded, audio_options)))
                if stream is not None:
                    stream.accepted.set()
                return await self.run(loaded, admitted, options, audio_options, on_segments, known=known)
            finally:
                loaded.clear()  # or a traceback keeps the recording on the disk until it is collected

    async def load(
        self,
        source: MediaFile | RemoteFile,
        admitted: Admitted,
        disk: Reservation,
        options: Options,
        audio_options: AudioOptions,
    ) -> list[LoadedAudio]:
        """As AudioLoader.load; a file on another server is fetched first. Raises HttpError."""
        if isinstance(source, MediaFile):
            return await self.loader.load(source, admitted, disk, options, audio_options)
        async with self.downloader.fetched(source, admitted) as file:
            return await self.loader.load(file, admitted, disk, options, audio_options)

    async def known_speakers(self, audio_options: AudioOptions) -> Sequence[KnownSpeaker]:
        """The speakers whom a request names; raises HttpError (400) for the first that cannot be used."""
        return await self.speakers.known(audio_options.speakers) if self.speakers else ()

    async def run(
        self,
        loaded: Sequence[LoadedAudio],
        admitted: Admitted,
        options: Options,
        audio_options: AudioOptions,
        on_segments: OnSegments,
        on_progress: OnProgress | None = None,
        *,
        known: Sequence[KnownSpeaker],
    ) -> Transcription:
        """What the model makes of the recording, or of its channels; cancelling the task ends its work.

        `known`: as `known_speakers` has them. Raises HttpError (503), or what failed.
        """
        run = partial(
            run_model,
            self.engine,
            loaded,
            options,
            separate_channels=audio_options.separate_channels,
            on_segments=on_segments,
            on_begun=admitted.place.begin,
            client=admitted.client,
        )
        return await with_their_speakers(run, loaded, audio_options, self.speakers, known, on_progress)

    def until_text(self, started: float, then: OnSegments | None) -> OnSegments:
        """Counts the seconds since `started` once, when the first segments come, and passes all on; None: to nobody."""
        waiting = [started]

        def on_segments(segments: Sequence[Segment]) -> None:
            if waiting:
                self.metrics.first_text(time.perf_counter() - waiting.pop())
            if then is not None:
                then(segments)

        return on_segments


def counted_seconds(loaded: Sequence[LoadedAudio], audio_options: AudioOptions) -> float:
    """Seconds of audio that the queue and quotas count: of all channels together, and for their speakers."""
    return counted(sum(len(one.samples) for one in loaded) / SAMPLE_RATE, audio_options.speakers)


def note_text(found: Transcription) -> None:
    """Notes in the current trace that the request has its text now."""
    if trace := tracing.current.get():
        trace.text_at = time.perf_counter()
        trace.describe({"whisper.language": found.language, "whisper.audio_seconds": found.audio_seconds})
