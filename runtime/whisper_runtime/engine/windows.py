"""One request as a generator of windows: it yields what is to be decoded, receives the result, decides what is next.

The decisions are those of `whisper.transcribe` (openai-whisper 20250625, whisper/transcribe.py) with its default
thresholds: where the next window starts, whether a result is tried again at a higher temperature, what is silence,
and which text conditions the next window.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Final, cast

import torch
from whisper.audio import (
    FRAMES_PER_SECOND,
    HOP_LENGTH,
    N_FRAMES,
    N_SAMPLES,
    SAMPLE_RATE,
    log_mel_spectrogram,
    pad_or_trim,  # pyright: ignore[reportUnknownVariableType]
)
from whisper.decoding import DecodingOptions, DecodingResult
from whisper.model import ModelDimensions
from whisper.tokenizer import Tokenizer, get_tokenizer

from whisper_runtime.engine.protocol import OnSegments, Samples
from whisper_runtime.engine.transcription import Options, Segment, Transcription

COMPRESSION_RATIO_THRESHOLD: Final = 2.4
LOGPROB_THRESHOLD: Final = -1.0
NO_SPEECH_THRESHOLD: Final = 0.6
PROMPT_RESET_TEMPERATURE: Final = 0.5
"""Text from a higher temperature does not condition the next window."""
FRAMES_PER_TOKEN: Final = 2
"""Mel frames for each step of a timestamp token, N_FRAMES / n_audio_ctx."""
SECONDS_PER_TOKEN: Final = FRAMES_PER_TOKEN * HOP_LENGTH / SAMPLE_RATE


@dataclass(frozen=True)
class Speaks:
    """What a window's decisions need to know of the model."""

    dims: ModelDimensions
    is_multilingual: bool
    num_languages: int
    fp16: bool
    """Whether windows are decoded in half precision."""


@dataclass(frozen=True)
class Decode:
    """Asks for the window's text."""

    mel: torch.Tensor
    """(n_mels, 3000), float32."""
    options: DecodingOptions
    seconds: float
    """Audio that is done with, once this is answered well."""


@dataclass(frozen=True)
class Detect:
    """Asks which language is spoken; answered by a DecodingResult of task `lang_id`."""

    mel: torch.Tensor
    options: DecodingOptions
    seconds: float = 0.0


Window = Decode | Detect
Windows = Generator[Window, DecodingResult, Transcription]


def windows(samples: Samples, options: Options, model: Speaks, on_segments: OnSegments | None = None) -> Windows:
    """The windows of one recording, one by one; returns the transcription."""
    mel = log_mel_spectrogram(samples, model.dims.n_mels, padding=N_SAMPLES)
    frames = mel.shape[-1] - N_FRAMES
    language = options.language or (yield from _detected(mel, model))
    tokenizer = get_tokenizer(
        model.is_multilingual, num_languages=model.num_languages, language=language, task=options.task
    )
    story = _Story(tokenizer, _encoded(tokenizer, options.prompt) if options.prompt else [])
    seek = 0
    while seek < frames:
        size = min(N_FRAMES, frames - seek)
        window = _padded(mel[:, seek : seek + size])
        result = yield from _with_fallback(window, options, language, story.prompt, model.fp16, size)
        if _is_silence(result):
            seek += size
            continue
        found, advance = _segments(result, seek, size, tokenizer)
        story.tell(
            found, resets=not options.condition_on_previous_text or result.temperature > PROMPT_RESET_TEMPERATURE
        )
        if on_segments is not None:
            on_segments(story.segments[-len(found) :])
        seek += advance
    return Transcription(story.text, language, len(samples) / SAMPLE_RATE, tuple(story.segments))


@dataclass
class _Story:
    """What has been said so far."""

    tokenizer: Tokenizer
    initial_prompt: list[int]
    segments: list[Segment] = field(default_factory=list[Segment])
    tokens: list[int] = field(init=False)
    prompt_from: int = 0

    def __post_init__(self) -> None:
        self.tokens = list(self.initial_prompt)

    @property
    def prompt(self) -> list[int]:
        return self.tokens[self.prompt_from :]

    @property
    def text(self) -> str:
        return text_of(self.tokenizer, self.tokens[len(self.initial_prompt) :])

    def tell(self, found: list[Segment], *, resets: bool) -> None:
        self.segments += [_numbered(segment, number) for number, segment in enumerate(found, len(self.segments))]
        self.tokens += [token for segment in found for token in segment.tokens]
        if resets:
            self.prompt_from = len(self.tokens)


def _detected(mel: torch.Tensor, model: Speaks) -> Generator[Window, DecodingResult, str]:
    if not model.is_multilingual:
        return "en"
    result = yield Detect(_padded(mel), DecodingOptions(task="lang_id", fp16=model.fp16))
    return result.language


def _with_fallback(
    mel: torch.Tensor, options: Options, language: str, prompt: list[int], fp16: bool, frames: int
) -> Generator[Window, DecodingResult, DecodingResult]:
    """The first result that is good enough, else the last (transcribe.py, decode_with_fallback)."""
    result = None
    for temperature in options.temperatures:
        decoding = DecodingOptions(
            task=options.task, language=language, temperature=temperature, prompt=prompt, fp16=fp16
        )
        result = yield Decode(mel, decoding, frames / FRAMES_PER_SECOND)
        if not _needs_fallback(result):
            break
    assert result is not None
    return result


def _needs_fallback(result: DecodingResult) -> bool:
    if result.no_speech_prob > NO_SPEECH_THRESHOLD and result.avg_logprob < LOGPROB_THRESHOLD:
        return False  # silence
    return result.compression_ratio > COMPRESSION_RATIO_THRESHOLD or result.avg_logprob < LOGPROB_THRESHOLD


def _is_silence(result: DecodingResult) -> bool:
    return result.no_speech_prob > NO_SPEECH_THRESHOLD and not result.avg_logprob > LOGPROB_THRESHOLD


def _segments(result: DecodingResult, seek: int, size: int, tokenizer: Tokenizer) -> tuple[list[Segment], int]:
    """The window's segments, and by how many frames the next window starts later."""
    tokens, begin = result.tokens, tokenizer.timestamp_begin
    is_timestamp = [token >= begin for token in tokens]
    ends = [index for index in range(1, len(tokens)) if is_timestamp[index - 1] and is_timestamp[index]]
    if not ends:
        return [_segment(result, seek, 0, _end_of(tokens, begin, size), tokens, tokenizer)], size
    single_ending = is_timestamp[-2:] == [False, True]
    if single_ending:
        ends.append(len(tokens))
    found: list[Segment] = []
    last = 0
    for end in ends:
        piece = tokens[last:end]
        found.append(_segment(result, seek, piece[0] - begin, piece[-1] - begin, piece, tokenizer))
        last = end
    # A single timestamp at the end: no speech after it. Else the unfinished segment is decoded again.
    return found, size if single_ending else (tokens[last - 1] - begin) * FRAMES_PER_TOKEN


def _end_of(tokens: list[int], begin: int, size: int) -> float:
    """Where a window's only segment ends, in timestamp steps: at its last timestamp, else at the window's end."""
    timestamps = [token for token in tokens if token >= begin]
    return timestamps[-1] - begin if timestamps and timestamps[-1] != begin else size / FRAMES_PER_TOKEN


def _segment(
    result: DecodingResult, seek: int, start: float, end: float, tokens: list[int], tokenizer: Tokenizer
) -> Segment:
    """A segment from `start` to `end`, in timestamp steps of the window; one without length or words is emptied."""
    offset = float(seek * HOP_LENGTH / SAMPLE_RATE)
    times = offset + start * SECONDS_PER_TOKEN, offset + end * SECONDS_PER_TOKEN
    text = text_of(tokenizer, [token for token in tokens if token < tokenizer.eot])
    is_empty = times[0] == times[1] or not text.strip()
    return Segment(
        id=0,
        seek=seek,
        start=times[0],
        end=times[1],
        text="" if is_empty else text,
        tokens=() if is_empty else tuple(tokens),
        temperature=result.temperature,
        avg_logprob=result.avg_logprob,
        compression_ratio=result.compression_ratio,
        no_speech_prob=result.no_speech_prob,
    )


def _padded(mel: torch.Tensor) -> torch.Tensor:
    """(n_mels, 3000): cut, or filled up with silence."""
    return cast(torch.Tensor, pad_or_trim(mel, N_FRAMES))  # a tensor in, a tensor out


def _encoded(tokenizer: Tokenizer, prompt: str) -> list[int]:
    return tokenizer.encode(" " + prompt.strip())  # pyright: ignore[reportUnknownMemberType]


def text_of(tokenizer: Tokenizer, tokens: list[int]) -> str:
    return tokenizer.decode(tokens)  # pyright: ignore[reportUnknownMemberType]


def _numbered(segment: Segment, number: int) -> Segment:
    return replace(segment, id=number)
