"""Cuts a window's tokens into segments (whisper/transcribe.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from whisper.audio import HOP_LENGTH, SAMPLE_RATE
from whisper.tokenizer import Tokenizer
from whisper.utils import compression_ratio  # pyright: ignore[reportUnknownVariableType]

from whisper_runtime.engine.policy.queries import DecodedTokens
from whisper_runtime.engine.transcription import Segment, Word

FRAMES_PER_TOKEN: Final = 2
"""Mel frames for each step of a timestamp token, N_FRAMES / n_audio_ctx."""
SECONDS_PER_TOKEN: Final = FRAMES_PER_TOKEN * HOP_LENGTH / SAMPLE_RATE


@dataclass
class WindowWord:
    """A word whose times, in seconds of the file, may still be corrected."""

    word: str
    start: float
    end: float
    probability: float


@dataclass
class WindowSegment:
    """A segment of the current window; its times, in seconds of the file, may still be corrected by its words'."""

    start: float
    end: float
    text: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    """One for each of `tokens`."""
    words: list[WindowWord] = field(default_factory=list[WindowWord])

    def clear_if_empty(self) -> None:
        """Drop the text of a segment without length or without words (transcribe.py, "if a segment is
        instantaneous")."""
        if self.start == self.end or not self.text.strip():
            self.text, self.tokens, self.logprobs, self.words = "", (), (), []


@dataclass(frozen=True)
class DecodingResult:
    """A window's tokens, with what decides whether they are good enough (decoding.py, DecodingResult)."""

    decoded: DecodedTokens
    temperature: float
    compression_ratio: float
    """Ratio by which zlib compresses the text: high where it repeats itself."""


class WindowSegments(NamedTuple):
    segments: list[WindowSegment]
    advance: int
    """Frames of 10 ms from this window's start to the next one's."""
    single_timestamp_ending: bool
    """Whether the last token is a lone timestamp, after which there is no speech (transcribe.py has the same name)."""


def decoding_result(decoded: DecodedTokens, temperature: float, tokenizer: Tokenizer) -> DecodingResult:
    return DecodingResult(decoded, temperature, compression_ratio(text_of(tokenizer, decoded.tokens).strip()))


def text_of(tokenizer: Tokenizer, tokens: Sequence[int]) -> str:
    return tokenizer.decode(list(tokens))  # pyright: ignore[reportUnknownMemberType]


def split_segments(decoded: DecodedTokens, seek: int, size: int, tokenizer: Tokenizer) -> WindowSegments:
    """The segments of a window of `size` frames that starts at frame `seek`: pairs of timestamps separate them."""
    tokens, begin = decoded.tokens, tokenizer.timestamp_begin
    is_timestamp = [token >= begin for token in tokens]
    ends = [index for index in range(1, len(tokens)) if is_timestamp[index - 1] and is_timestamp[index]]
    is_last = is_timestamp[-2:] == [False, True]
    if not ends:
        end = _end_of_only_segment(tokens, begin, size)
        return WindowSegments([_segment(decoded, 0, len(tokens), seek, (0, end), tokenizer)], size, is_last)
    if is_last:
        ends.append(len(tokens))
    segments: list[WindowSegment] = []
    for first, end in zip([0, *ends], ends, strict=False):
        start_time, end_time = ((tokens[at] - begin) * SECONDS_PER_TOKEN for at in (first, end - 1))
        segments.append(_segment(decoded, first, end, seek, (start_time, end_time), tokenizer))
    # Unless the window ends with a lone timestamp, its unfinished last segment is decoded again.
    advance = size if is_last else (tokens[ends[-1] - 1] - begin) * FRAMES_PER_TOKEN
    return WindowSegments(segments, advance, is_last)


def final_segment(segment: WindowSegment, seek: int, result: DecodingResult, *, logprobs: bool) -> Segment:
    """The segment as it is reported; its id is 0 until the request numbers it. `logprobs`: whether to keep them."""
    return Segment(
        id=0,
        seek=seek,
        start=segment.start,
        end=segment.end,
        text=segment.text,
        tokens=segment.tokens,
        temperature=result.temperature,
        avg_logprob=result.decoded.avg_logprob,
        compression_ratio=result.compression_ratio,
        no_speech_prob=result.decoded.no_speech_prob,
        words=tuple(Word(word.word, word.start, word.end, word.probability) for word in segment.words),
        token_logprobs=segment.logprobs if logprobs else (),
    )


def _end_of_only_segment(tokens: Sequence[int], begin: int, size: int) -> float:
    """In seconds of the window: at its last timestamp, else at the window's end."""
    timestamps = [token for token in tokens if token >= begin]
    if timestamps and timestamps[-1] != begin:
        return (timestamps[-1] - begin) * SECONDS_PER_TOKEN
    return size * HOP_LENGTH / SAMPLE_RATE


def _segment(
    decoded: DecodedTokens, first: int, last: int, seek: int, times: tuple[float, float], tokenizer: Tokenizer
) -> WindowSegment:
    """A segment of the tokens from `first` up to, not including, `last`; `times` are seconds of the window."""
    offset = float(seek * HOP_LENGTH / SAMPLE_RATE)
    tokens = decoded.tokens[first:last]
    return WindowSegment(
        offset + times[0],
        offset + times[1],
        text_of(tokenizer, [token for token in tokens if token < tokenizer.eot]),
        tokens,
        decoded.logprobs[first:last],
    )
