"""One uploaded file on its way to text: disk, decoder, queue, model. It ends when its task or its time does."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Collection, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, Final, Protocol

from whisper_runtime.engine.interface import Engine, OnSegments, OutOfMemory, Samples
from whisper_runtime.engine.transcription import Options, Segment, Transcription
from whisper_runtime.errors import HttpError, unavailable
from whisper_runtime.media.decode import SAMPLE_RATE, DecodedAudio, OnBytes
from whisper_runtime.media.raw_audio import UNDECLARED, DeclaredType
from whisper_runtime.media.refusals import AudioError
from whisper_runtime.metrics import Metrics
from whisper_runtime.service import tracing
from whisper_runtime.service.admission import Admission
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.client_identity import label
from whisper_runtime.service.decode_slots import DecodeSlots
from whisper_runtime.service.disk_quota import Reservation, disk_full

DECODE_SECONDS: Final = 120.0
"""The longest that a decoder may work on one file."""
OUT_OF_MEMORY_RETRY_AFTER: Final = 10
"""Seconds; another request holds the memory, and will end."""
BAD_AUDIO: Final = {
    "NotAudio": "not_audio",
    "Empty": "empty_file",
    "NoAudioTrack": "no_audio_track",
    "TooManyStreams": "too_many_streams",
    "Damaged": "damaged_file",
    "TimedOut": "decoding_too_slow",
}
"""OpenAI's `code` for each reason why a file is refused."""


class MediaDecoder(Protocol):
    """Decodes a file into samples, as media.decode does.

    `on_bytes` is told the size of the samples; of several tracks one in `languages` is taken (ISO-639-1; empty: no
    wish); `declared` is what the client says of the file. Raises AudioError for a file that is no audio, or is longer
    than `max_seconds`, or takes longer than `timeout` seconds to decode.
    """

    def __call__(
        self,
        media: IO[bytes],
        *,
        max_seconds: float,
        timeout: float,
        on_bytes: OnBytes,
        languages: Collection[str],
        declared: DeclaredType,
    ) -> Awaitable[DecodedAudio]: ...


@dataclass(frozen=True)
class Upload:
    """A file that a client has sent."""

    media: IO[bytes]
    declared: DeclaredType = UNDECLARED


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
            self._loop.call_soon_threadsafe(self._segments.put_nowait, segments)

    def end(self, work: asyncio.Task[Transcription]) -> None:
        """Ends the stream with its `work`; retrieves the error, which asyncio would log if it is never retrieved."""
        if not work.cancelled():
            work.exception()
        self._segments.put_nowait(None)

    async def next_window(self) -> Sequence[Segment] | None:
        """Waits for the next window's segments; None: there are no more."""
        return await self._segments.get()


@dataclass(frozen=True)
class Transcriber:
    """Takes a file through decoder, queue and model."""

    engine: Engine
    decode: MediaDecoder
    admission: Admission
    metrics: Metrics
    request_timeout: float
    """Seconds that a request may take in all."""
    slots: DecodeSlots

    async def transcribe(
        self, upload: Upload, admitted: Admitted, options: Options, stream: SegmentStream | None = None
    ) -> Transcription:
        """The transcription of `upload`, of a request that was `admitted`.

        `stream` gets the segments as they become final; None: only the whole is wanted. Cancelling the task frees its
        place in the queue and its disk. Raises HttpError: 400 for a bad file, 413 for too long a recording, 429 for a
        full queue, 503 where device or process cannot go on, 504 where the time is over.
        """
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self.request_timeout):
                until_text = self._until_text(started, stream)
                found = await self._transcribe(upload, admitted, options, stream, until_text)
        except TimeoutError:
            raise _out_of_time() from None
        ended = time.perf_counter()
        self.metrics.transcribed(found, ended - started, label(admitted.client))
        if trace := tracing.current.get():
            trace.text_at = ended
            trace.describe({"whisper.language": found.language, "whisper.audio_seconds": found.duration})
        return found

    async def _transcribe(
        self,
        upload: Upload,
        admitted: Admitted,
        options: Options,
        stream: SegmentStream | None,
        on_segments: OnSegments,
    ) -> Transcription:
        trace = tracing.current.get()
        with ExitStack() as held:
            disk = held.enter_context(admitted.samples)
            samples = await self._decoded(upload, admitted, disk, options)
            try:
                allowed = held.enter_context(self.admission.after_decoding(admitted, len(samples) / SAMPLE_RATE))
                async with asyncio.timeout(allowed):
                    future = self.engine.submit(
                        samples,
                        options,
                        on_segments,
                        client=admitted.client,
                        on_begun=admitted.place.begin,
                        on_stage=trace and trace.stage,
                    )
                    if stream is not None:
                        stream.accepted.set()
                    return await _finished(future)
            finally:
                del samples  # or a traceback keeps this frame, and the recording on the disk, until it is collected

    def _until_text(self, started: float, stream: SegmentStream | None) -> OnSegments:
        """Passes segments on to `stream`, and counts the seconds since `started` once, when the first ones come."""
        waiting = [started]

        def on_segments(segments: Sequence[Segment]) -> None:
            if waiting:
                self.metrics.first_text(time.perf_counter() - waiting.pop())
            if stream is not None:
                stream.on_segments(segments)

        return on_segments

    async def _decoded(self, upload: Upload, admitted: Admitted, disk: Reservation, options: Options) -> Samples:
        """The file's samples, with as much of `disk` as they take; raises HttpError (400, 413, 429, 503)."""
        async with self.slots.take():
            longest, started = self.admission.longest_recording(admitted.place), time.perf_counter()
            try:
                decoded = await self.decode(
                    upload.media,
                    max_seconds=longest,
                    timeout=DECODE_SECONDS,
                    on_bytes=disk.cover,
                    languages=options.languages or tuple(filter(None, [options.language])),
                    declared=upload.declared,
                )
            except AudioError as error:
                raise self._refusal(error, longest) from None
            finally:
                ended = time.perf_counter()
                self.metrics.stage("decode", ended - started)
                if trace := tracing.current.get():
                    trace.stage("decode", started, ended)
            disk.set(decoded.samples.nbytes)
            admitted.track = decoded.track
            return decoded.samples

    def _refusal(self, error: AudioError, longest: float) -> HttpError:
        """The response to a file that was not decoded, in at most `longest` seconds of audio."""
        match error.reason:
            case "TooLong":
                return self.admission.too_long(longest, error.seconds)
            case "NoSpace":
                return disk_full()
            case reason:
                return HttpError(400, error.message, param="file", code=BAD_AUDIO[reason])


async def _finished(future: Future[Transcription]) -> Transcription:
    try:
        return await asyncio.wrap_future(future)  # cancelling this cancels `future`, which frees its place
    except OutOfMemory:
        message = "The device has no memory for this recording now: try again later, or send it in shorter parts."
        raise unavailable(message, "out_of_memory", OUT_OF_MEMORY_RETRY_AFTER) from None
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) and task.cancelling():
            raise
        message = "The server stopped before this was transcribed: try again, and another replica will answer."
        raise unavailable(message, "shutting_down", 1) from None


def _out_of_time() -> HttpError:
    """504, as a proxy would say; 408 would blame the client's sending, and its library would send again."""
    message = "The transcription was not done in the time allowed for its length: send a shorter recording."
    return HttpError(504, message, code="request_timeout")
