"""Transcribes a recording window by window, as a generator: it yields queries, receives results, decides what is next.

The decisions are those of `whisper.transcribe` (openai-whisper 20250625, whisper/transcribe.py) with its default
thresholds: where the next window starts, whether a result is tried again at a higher temperature, what is silence,
and which text conditions the next window.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import torch
from whisper.audio import FRAMES_PER_SECOND, HOP_LENGTH, N_FRAMES, SAMPLE_RATE
from whisper.tokenizer import Tokenizer

from whisper_runtime.engine.interface import OnSegments
from whisper_runtime.engine.policy import hallucination
from whisper_runtime.engine.policy.quality import is_silence, needs_fallback
from whisper_runtime.engine.policy.queries import (
    Alignment,
    AlignTokens,
    DecodedTokens,
    DecodeWindow,
    Query,
    QueryGenerator,
    QueryResult,
    Window,
)
from whisper_runtime.engine.policy.recording import FrameRange, Recording
from whisper_runtime.engine.policy.segments import (
    DecodingResult,
    WindowSegment,
    WindowSegments,
    decoding_result,
    final_segment,
    split_segments,
)
from whisper_runtime.engine.policy.tokenizer import ModelTokenizer
from whisper_runtime.engine.policy.word_timestamps import add_word_timestamps, text_tokens
from whisper_runtime.engine.transcription import Options

OnSeek = Callable[[int], None]
"""Called with the frame at which the next window starts."""

PROMPT_RESET_TEMPERATURE: Final = 0.5
"""Text from a higher temperature does not condition the next window."""


@dataclass
class WindowPolicy:
    """The state of `whisper.transcribe` between two windows; the fields have its names."""

    recording: Recording
    options: Options
    tokenizer: ModelTokenizer
    generator: torch.Generator
    """The source of random numbers above temperature 0."""
    on_segments: OnSegments
    """Called with each window's segments."""
    on_seek: OnSeek
    """Called after each window, one without speech as well."""
    all_tokens: list[int] = field(default_factory=list[int])
    """All text so far, with the client's prompt before it."""
    prompt_reset_since: int = 0
    """The index in `all_tokens` from which on text conditions the next window."""
    last_speech: float = 0.0
    """The end of the last word so far, in seconds of the file."""
    has_sampled: bool = False
    """Whether a window was decoded above temperature 0."""

    def __post_init__(self) -> None:
        self._tokenizer = self.tokenizer.for_language(self.recording.language, self.options.task)
        self._keywords = _encode_prompt(self._tokenizer, self.options.keywords) if self.options.keywords else []
        if self.options.prompt:
            self.all_tokens += _encode_prompt(self._tokenizer, self.options.prompt)

    def transcribe(self, clips: Sequence[FrameRange], first: Window | None = None) -> QueryGenerator:
        """Transcribe these parts of the recording, one after the other.

        `first` is the window at the start of the file where it is encoded already, else None.
        """
        for start, end in clips:
            seek = start
            while seek < end:
                size = min(N_FRAMES, self.recording.frames - seek, end - seek)
                if size <= 0:
                    return
                is_first = first is not None and seek == 0 and size == min(N_FRAMES, self.recording.frames)
                window = first if is_first and first is not None else self.recording.window(seek, size)
                seek = max(seek + 1, (yield from self._transcribe_window(window, seek, size)))
                self.on_seek(seek)

    def _transcribe_window(self, window: Window, seek: int, size: int) -> Generator[Query, QueryResult, int]:
        """Returns the frame at which the next window starts."""
        result = yield from self._decode_with_fallback(window)
        if is_silence(result.decoded):
            return seek + size
        split = split_segments(result.decoded, seek, size, self._tokenizer)
        next_seek = seek + split.advance
        if self.options.word_timestamps:
            alignment = yield from self._align(window, split.segments, size)
            offset = seek * HOP_LENGTH / SAMPLE_RATE
            add_word_timestamps(split.segments, alignment, self._tokenizer, offset, self.last_speech)
            if (end := _end_of_unfinished(split, offset)) is not None:
                next_seek = round(end * FRAMES_PER_SECOND)
            if (threshold := self.options.hallucination_silence_threshold) is not None:
                skips_window, next_seek = self._skip_hallucinations(split, seek, size, next_seek, threshold)
                if skips_window:
                    return next_seek
            self.last_speech = end if (end := _end_of(split.segments)) is not None else self.last_speech
        self._emit(split.segments, seek, result)
        return next_seek

    def _emit(self, segments: list[WindowSegment], seek: int, result: DecodingResult) -> None:
        for segment in segments:
            segment.clear_if_empty()
            self.all_tokens += segment.tokens
        if not self.options.condition_on_previous_text or result.temperature > PROMPT_RESET_TEMPERATURE:
            self.prompt_reset_since = len(self.all_tokens)
        self.on_segments([final_segment(segment, seek, result, logprobs=self.options.logprobs) for segment in segments])

    def _decode_with_fallback(self, window: Window) -> Generator[Query, QueryResult, DecodingResult]:
        """The first result that is good enough, else the last (transcribe.py, decode_with_fallback)."""
        result = None
        params = self.tokenizer.params(
            self._tokenizer,
            self.all_tokens[self.prompt_reset_since :],
            timestamps=not self.options.without_timestamps,
            keywords=self._keywords,
        )
        for temperature in self.options.temperatures:
            self.has_sampled |= temperature > 0
            beams = {"beam_size": self.options.beam_size, "patience": self.options.patience}
            search = beams if temperature == 0 else {"best_of": self.options.best_of}
            decoded = yield DecodeWindow(
                window, replace(params, temperature=temperature, generator=self.generator, **search)
            )
            assert isinstance(decoded, DecodedTokens)
            result = decoding_result(decoded, temperature, self._tokenizer)
            if not needs_fallback(result):
                break
        assert result is not None
        return result

    def _align(
        self, window: Window, segments: Sequence[WindowSegment], size: int
    ) -> Generator[Query, QueryResult, Alignment | None]:
        """None where the segments have no text."""
        text = text_tokens(segments, self._tokenizer)
        if not text:
            return None
        special = self._tokenizer.sot_sequence
        tokens = (*special, self._tokenizer.no_timestamps, *text, self._tokenizer.eot)
        alignment = yield AlignTokens(window, tokens, len(special), size)
        assert isinstance(alignment, Alignment)
        return alignment

    def _skip_hallucinations(
        self, split: WindowSegments, seek: int, size: int, next_seek: int, threshold: float
    ) -> tuple[bool, int]:
        """Whether the window's segments are dropped and it is decoded again, and the frame at which to go on.

        Segments from the first hallucination on are removed from `split`. `threshold` is in seconds.
        """
        start, length = seek * HOP_LENGTH / SAMPLE_RATE, size * HOP_LENGTH / SAMPLE_RATE
        window_end = (seek + N_FRAMES) * HOP_LENGTH / SAMPLE_RATE
        file_end = self.recording.frames * HOP_LENGTH / SAMPLE_RATE
        if (end := _end_of_unfinished(split, start)) is not None:
            next_seek = round(end * FRAMES_PER_SECOND) if window_end - end > threshold else seek + size
        span = hallucination.WindowSpan(start, length, window_end, file_end, self.last_speech)
        gap = hallucination.leading_silence(split.segments, span, threshold)
        if gap is not None:
            return True, seek + round(gap * FRAMES_PER_SECOND)
        if (found := hallucination.first_hallucination(split.segments, span, threshold)) is not None:
            index, frame = found
            del split.segments[index:]
            next_seek = self.recording.frames if frame is None else frame
        return False, next_seek


def _end_of(segments: Sequence[WindowSegment]) -> float | None:
    """When the last word ends; without words, the last segment (utils.py, get_end). None without segments."""
    words = [word for segment in segments for word in segment.words]
    return words[-1].end if words else segments[-1].end if segments else None


def _end_of_unfinished(split: WindowSegments, offset: float) -> float | None:
    """When the last word ends, where speech may follow it in the window, which starts at `offset` seconds.

    None where the window ends with a lone timestamp, or without text.
    """
    end = _end_of(split.segments)
    return end if not split.single_timestamp_ending and end is not None and end > offset else None


def _encode_prompt(tokenizer: Tokenizer, prompt: str) -> list[int]:
    """As upstream, except that a special token's name in the prompt is encoded as text."""
    return tokenizer.encode(" " + prompt.strip(), disallowed_special=())  # pyright: ignore[reportUnknownMemberType]
