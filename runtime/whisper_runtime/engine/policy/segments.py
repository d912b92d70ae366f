"""A segment in the making, and which tokens of a window become which segment (whisper/transcribe.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from whisper.audio import HOP_LENGTH, SAMPLE_RATE
from whisper.tokenizer import Tokenizer
from whisper.utils import compression_ratio  # pyright: ignore[reportUnknownVariableType]

from whisper_runtime.engine.policy.queries import Said
from whisper_runtime.engine.transcription import Segment, Word

FRAMES_PER_TOKEN: Final = 2
"""Mel frames for each step of a timestamp token, N_FRAMES / n_audio_ctx."""
SECONDS_PER_TOKEN: Final = FRAMES_PER_TOKEN * HOP_LENGTH / SAMPLE_RATE


@dataclass
class DraftWord:
    word: str
    start: float
    end: float
    probability: float


@dataclass
class Draft:
    start: float
    """Seconds."""
    end: float
    text: str
    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    words: list[DraftWord] = field(default_factory=list[DraftWord])

    def clear_where_empty(self) -> None:
        """One without length or words says nothing."""
        if self.start == self.end or not self.text.strip():
            self.text, self.tokens, self.logprobs, self.words = "", (), (), []


@dataclass(frozen=True)
class Result:
    """What a window's decoding came to."""

    said: Said
    temperature: float
    compression_ratio: float


def result(said: Said, temperature: float, tokenizer: Tokenizer) -> Result:
    return Result(said, temperature, compression_ratio(text_of(tokenizer, said.tokens).strip()))


def text_of(tokenizer: Tokenizer, tokens: Sequence[int]) -> str:
    return tokenizer.decode(list(tokens))  # pyright: ignore[reportUnknownMemberType]


def drafts(said: Said, seek: int, size: int, tokenizer: Tokenizer) -> tuple[list[Draft], int, bool]:
    """The segments of a window of `size` frames at `seek`; by how many frames the next window starts later; and
    whether the last thing said is a lone timestamp, after which nobody speaks."""
    tokens, begin = said.tokens, tokenizer.timestamp_begin
    is_timestamp = [token >= begin for token in tokens]
    ends = [index for index in range(1, len(tokens)) if is_timestamp[index - 1] and is_timestamp[index]]
    is_last = is_timestamp[-2:] == [False, True]
    if not ends:
        return [_draft(said, 0, len(tokens), seek, 0, _end_of(tokens, begin, size), tokenizer)], size, is_last
    if is_last:
        ends.append(len(tokens))
    found: list[Draft] = []
    for first, end in zip([0, *ends], ends, strict=False):
        times = [(tokens[at] - begin) * SECONDS_PER_TOKEN for at in (first, end - 1)]
        found.append(_draft(said, first, end, seek, times[0], times[1], tokenizer))
    # Else the unfinished segment is decoded again.
    return found, size if is_last else (tokens[ends[-1] - 1] - begin) * FRAMES_PER_TOKEN, is_last


def finished(draft: Draft, seek: int, found: Result, *, logprobs: bool) -> Segment:
    return Segment(
        id=0,
        seek=seek,
        start=draft.start,
        end=draft.end,
        text=draft.text,
        tokens=draft.tokens,
        temperature=found.temperature,
        avg_logprob=found.said.avg_logprob,
        compression_ratio=found.compression_ratio,
        no_speech_prob=found.said.no_speech_prob,
        words=tuple(Word(word.word, word.start, word.end, word.probability) for word in draft.words),
        token_logprobs=draft.logprobs if logprobs else (),
    )


def _end_of(tokens: Sequence[int], begin: int, size: int) -> float:
    """Where a window's only segment ends, in seconds of the window: at its last timestamp, else at the window's end."""
    timestamps = [token for token in tokens if token >= begin]
    if timestamps and timestamps[-1] != begin:
        return (timestamps[-1] - begin) * SECONDS_PER_TOKEN
    return size * HOP_LENGTH / SAMPLE_RATE


def _draft(said: Said, first: int, last: int, seek: int, start: float, end: float, tokenizer: Tokenizer) -> Draft:
    """A segment of the tokens from `first` to `last`; `start` and `end` are in seconds of the window."""
    offset = float(seek * HOP_LENGTH / SAMPLE_RATE)
    tokens = said.tokens[first:last]
    return Draft(
        offset + start,
        offset + end,
        text_of(tokenizer, [token for token in tokens if token < tokenizer.eot]),
        tokens,
        said.logprobs[first:last],
    )
