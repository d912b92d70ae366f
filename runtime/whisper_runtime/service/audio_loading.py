"""The audio of a file that the model gets: its samples, or those of each channel, and the parts that hold speech."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Collection
from dataclasses import dataclass
from typing import IO, Final, Protocol, TypeVar

from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.speech.spans import Span, SpeechDetection, clips, spared_windows
from whisper_runtime.engine.transcription import Options
from whisper_runtime.errors import HttpError
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.ffmpeg_process import OnBytes
from whisper_runtime.media.film import DecodedAudio, is_silent
from whisper_runtime.media.raw_audio import UNDECLARED, DeclaredType
from whisper_runtime.media.refusals import AudioError
from whisper_runtime.metrics.engine import EngineMetrics
from whisper_runtime.service.admission import Admission
from whisper_runtime.service.admitted import Admitted
from whisper_runtime.service.decode_slots import DecodeSlots
from whisper_runtime.service.disk_quota import Reservation, disk_full
from whisper_runtime.service.speaker_options import SpeakerOptions
from whisper_runtime.service.speech_detector import SpeechDetector
from whisper_runtime.service.tracing import record_stage

Decoded = TypeVar("Decoded", covariant=True)

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


class Decode(Protocol[Decoded]):
    """Decodes a file into samples: into one recording, as media.decode does, or each channel, as media.channels does.

    `on_bytes` is called with the size of the samples; of several tracks one in `languages` is taken (ISO-639-1; empty:
    no wish); `declared` is the type that the sender gives. Raises AudioError for a file that is no audio, or is longer
    than `max_seconds`, of all channels together, or takes longer than `timeout` seconds to decode.
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
    ) -> Awaitable[Decoded]: ...


@dataclass(frozen=True)
class MediaDecoder:
    mixed: Decode[DecodedAudio]
    channels: Decode[list[DecodedAudio]]


@dataclass(frozen=True)
class MediaFile:
    """A file that holds a recording."""

    content: IO[bytes]
    declared: DeclaredType = UNDECLARED


@dataclass(frozen=True)
class AudioOptions:
    """Which audio of a file is transcribed; by default all of it, its channels mixed, as `whisper.transcribe` does."""

    separate_channels: bool = False
    """Each channel is a recording of its own."""
    detection: SpeechDetection | None = None
    """What counts as speech; None: all is transcribed."""
    speakers: SpeakerOptions | None = None
    """Whose words they are is asked for; None: it is not."""


DEFAULT_AUDIO: Final = AudioOptions()


@dataclass(frozen=True, eq=False)
class LoadedAudio:
    """A recording, or one channel of it."""

    samples: Samples
    clips: tuple[float, ...] | None
    """Start, end, start, end … of what is transcribed, in seconds; empty: nothing is; None: all of it."""


@dataclass(frozen=True)
class AudioLoader:
    """Decodes files, a few at a time, and detects speech in those whose request asks for it."""

    decoder: MediaDecoder
    detector: SpeechDetector
    admission: Admission
    metrics: EngineMetrics
    slots: DecodeSlots

    async def load(
        self, file: MediaFile, admitted: Admitted, disk: Reservation, options: Options, audio_options: AudioOptions
    ) -> list[LoadedAudio]:
        """The recording, or each of its channels; `disk` reserves as much as their samples take.

        A silent channel among several has no clips. Raises HttpError (400, 413, 429, 503).
        """
        async with self.slots.take():
            decoded = await self._decoded(file, admitted, disk, options, audio_options)
            started = time.perf_counter()
            is_alone = len(decoded) == 1
            parts = [await self._parts(one, audio_options, is_alone=is_alone) for one in decoded]
            if audio_options.detection:
                record_stage(self.metrics, "speech", started)
            return [self._loaded(one, of_it) for one, of_it in zip(decoded, parts, strict=True)]

    async def _decoded(
        self, file: MediaFile, admitted: Admitted, disk: Reservation, options: Options, audio_options: AudioOptions
    ) -> list[Samples]:
        longest, started = self.admission.longest_recording(admitted.place), time.perf_counter()
        try:
            if audio_options.separate_channels:
                decoded = await _decode(self.decoder.channels, file, longest, disk, options)
            else:
                decoded = [await _decode(self.decoder.mixed, file, longest, disk, options)]
        except AudioError as error:
            raise self._refusal(error, longest) from None
        finally:
            record_stage(self.metrics, "decode", started)
        disk.set(sum(one.samples.nbytes for one in decoded))
        admitted.track = decoded[0].track
        return [one.samples for one in decoded]

    async def _parts(self, samples: Samples, audio_options: AudioOptions, *, is_alone: bool) -> list[Span] | None:
        """Those of the recording that are transcribed; None: all of it."""
        if not is_alone and await is_silent(samples):
            return []
        if audio_options.detection is None:
            return None
        return clips(await self.detector.spans(samples, audio_options.detection), audio_options.detection)

    def _loaded(self, samples: Samples, parts: list[Span] | None) -> LoadedAudio:
        """Counts what the model is spared."""
        if parts is None:
            return LoadedAudio(samples, None)
        self.metrics.spared(spared_windows(parts, len(samples) / SAMPLE_RATE))
        return LoadedAudio(samples, tuple(second for part in parts for second in part))

    def _refusal(self, error: AudioError, longest: float) -> HttpError:
        """The response to a file that was not decoded, in at most `longest` seconds of audio."""
        match error.reason:
            case "TooLong":
                return self.admission.too_long(longest, error.seconds)
            case "NoSpace":
                return disk_full()
            case reason:
                return HttpError(400, error.message, param="file", code=BAD_AUDIO[reason])


def wanted_languages(options: Options) -> tuple[str, ...]:
    """Of several tracks one in these languages is taken; empty: no wish."""
    return options.languages or tuple(filter(None, [options.language]))


async def _decode(
    decode: Decode[Decoded], file: MediaFile, max_seconds: float, disk: Reservation, options: Options
) -> Decoded:
    return await decode(
        file.content,
        max_seconds=max_seconds,
        timeout=DECODE_SECONDS,
        on_bytes=disk.cover,
        languages=wanted_languages(options),
        declared=file.declared,
    )
