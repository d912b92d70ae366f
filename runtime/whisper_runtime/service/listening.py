"""What the model hears of an upload: its samples, or those of each channel, and the parts of them that hold speech."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Collection
from dataclasses import dataclass
from typing import IO, Final, Protocol

from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.speech.spans import SpeechDetection, clips
from whisper_runtime.engine.transcription import Options
from whisper_runtime.errors import HttpError
from whisper_runtime.media.decode import DecodedAudio, OnBytes, is_silent
from whisper_runtime.media.raw_audio import UNDECLARED, DeclaredType
from whisper_runtime.media.refusals import AudioError
from whisper_runtime.metrics import Metrics
from whisper_runtime.service import tracing
from whisper_runtime.service.admission import Admission
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.decode_slots import DecodeSlots
from whisper_runtime.service.disk_quota import Reservation, disk_full
from whisper_runtime.service.speech_detector import SpeechDetector

DECODE_SECONDS: Final = 120.0
"""The longest that a decoder may work on one file."""
BAD_AUDIO: Final = {
    "NotAudio": "not_audio",
    "Empty": "empty_file",
    "NoAudioTrack": "no_audio_track",
    "TooManyStreams": "too_many_streams",
    "Damaged": "damaged_file",
    "TimedOut": "decoding_too_slow",
}
"""OpenAI's `code` for each reason why a file is refused."""


class Decode(Protocol):
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


class DecodeChannels(Protocol):
    """Each channel, as media.channels gives them; all channels count for `max_seconds`."""

    def __call__(
        self,
        media: IO[bytes],
        *,
        max_seconds: float,
        timeout: float,
        on_bytes: OnBytes,
        languages: Collection[str],
        declared: DeclaredType,
    ) -> Awaitable[list[DecodedAudio]]: ...


@dataclass(frozen=True)
class MediaDecoder:
    mixed: Decode
    channels: DecodeChannels


@dataclass(frozen=True)
class Upload:
    """A file that a client has sent."""

    media: IO[bytes]
    declared: DeclaredType = UNDECLARED


@dataclass(frozen=True)
class Listening:
    """How a request wants its recording to be heard."""

    separate_channels: bool = False
    """Each channel is a recording of its own."""
    detection: SpeechDetection | None = None
    """What counts as speech; None: all is transcribed."""


ALL_AT_ONCE: Final = Listening()
"""As `whisper.transcribe` does."""


@dataclass(frozen=True, eq=False)
class Heard:
    """A recording, or one channel of it."""

    samples: Samples
    clips: tuple[float, ...] | None
    """Start, end, start, end … of what is transcribed, in seconds; empty: nothing is; None: all of it."""


@dataclass(frozen=True)
class Listener:
    """Decodes uploads, a few at a time, and detects speech in those that ask for it."""

    decode: MediaDecoder
    detector: SpeechDetector
    admission: Admission
    metrics: Metrics
    slots: DecodeSlots

    async def heard(
        self, upload: Upload, admitted: Admitted, disk: Reservation, options: Options, listening: Listening
    ) -> list[Heard]:
        """The recording, or each of its channels, with as much of `disk` as the samples take.

        A channel among several in which nothing can be heard has no clips. Raises HttpError (400, 413, 429, 503).
        """
        async with self.slots.take():
            found = await self._decoded(upload, admitted, disk, options, listening)
            started = time.perf_counter()
            heard = [Heard(one, await self._clips(one, listening, is_alone=len(found) == 1)) for one in found]
            if listening.detection:
                self._staged("speech", started)
            return heard

    async def _decoded(
        self, upload: Upload, admitted: Admitted, disk: Reservation, options: Options, listening: Listening
    ) -> list[Samples]:
        longest, started = self.admission.longest_recording(admitted.place), time.perf_counter()
        try:
            found = await self._read(upload, longest, disk, options, listening)
        except AudioError as error:
            raise self._refusal(error, longest) from None
        finally:
            self._staged("decode", started)
        disk.set(sum(one.samples.nbytes for one in found))
        admitted.track = found[0].track
        return [one.samples for one in found]

    async def _read(
        self, upload: Upload, longest: float, disk: Reservation, options: Options, listening: Listening
    ) -> list[DecodedAudio]:
        languages = options.languages or tuple(filter(None, [options.language]))
        if listening.separate_channels:
            return await self.decode.channels(
                upload.media,
                max_seconds=longest,
                timeout=DECODE_SECONDS,
                on_bytes=disk.cover,
                languages=languages,
                declared=upload.declared,
            )
        mixed = await self.decode.mixed(
            upload.media,
            max_seconds=longest,
            timeout=DECODE_SECONDS,
            on_bytes=disk.cover,
            languages=languages,
            declared=upload.declared,
        )
        return [mixed]

    async def _clips(self, samples: Samples, listening: Listening, *, is_alone: bool) -> tuple[float, ...] | None:
        if not is_alone and await is_silent(samples):
            return ()
        if listening.detection is None:
            return None
        spans = await self.detector.spans(samples, listening.detection)
        return tuple(second for clip in clips(spans, listening.detection) for second in clip)

    def _staged(self, stage: str, started: float) -> None:
        ended = time.perf_counter()
        self.metrics.stage(stage, ended - started)
        if trace := tracing.current.get():
            trace.stage(stage, started, ended)

    def _refusal(self, error: AudioError, longest: float) -> HttpError:
        """The response to a file that was not decoded, in at most `longest` seconds of audio."""
        match error.reason:
            case "TooLong":
                return self.admission.too_long(longest, error.seconds)
            case "NoSpace":
                return disk_full()
            case reason:
                return HttpError(400, error.message, param="file", code=BAD_AUDIO[reason])
