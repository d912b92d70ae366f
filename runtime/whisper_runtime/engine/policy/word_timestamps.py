"""Words with their times, derived from the times of tokens (whisper/timing.py, add_word_timestamps)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, cast

import numpy as np
from whisper.audio import TOKENS_PER_SECOND
from whisper.timing import WordTiming, merge_punctuations
from whisper.tokenizer import Tokenizer

from whisper_runtime.engine.policy.queries import Alignment
from whisper_runtime.engine.policy.segments import WindowSegment, WindowWord

SENTENCE_ENDS: Final = ".。!！?？"  # noqa: RUF001 - upstream's
PREPEND_PUNCTUATIONS: Final = "\"'“¿([{-"
APPEND_PUNCTUATIONS: Final = "\"'.。,，!！?？:：”)]}、"  # noqa: RUF001 - upstream's
LONGEST_MEDIAN: Final = 0.7
"""An upper bound, in seconds, on the median duration of a word, from which "too long" is derived."""


def add_word_timestamps(
    segments: Sequence[WindowSegment],
    alignment: Alignment | None,
    tokenizer: Tokenizer,
    offset: float,
    last_speech: float,
) -> None:
    """Set the words of each segment, and correct the segments' times by them, in place.

    `alignment` is that of `text_tokens(segments)`, None where there are none. `offset`, the window's start, and
    `last_speech`, the end of the last word before it, are seconds of the file.
    """
    text = [[token for token in segment.tokens if token < tokenizer.eot] for segment in segments]
    timings = _timings(alignment, [token for tokens in text for token in tokens], tokenizer) if alignment else []
    median, longest = _shorten_at_sentence_ends(timings)
    merge_punctuations(timings, PREPEND_PUNCTUATIONS, APPEND_PUNCTUATIONS)
    rest = iter(timings)
    for segment, tokens in zip(segments, text, strict=True):
        segment.words = _take_words(rest, len(tokens), offset)
        if segment.words:
            _shorten_after_pause(segment.words, last_speech, median, longest)
            _reconcile_times(segment, median)
            last_speech = segment.end


def text_tokens(segments: Sequence[WindowSegment], tokenizer: Tokenizer) -> list[int]:
    return [token for segment in segments for token in segment.tokens if token < tokenizer.eot]


def _timings(alignment: Alignment, tokens: list[int], tokenizer: Tokenizer) -> list[WordTiming]:
    """timing.py, the end of find_alignment."""
    split = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    words, of_words = cast(tuple[list[str], list[list[int]]], split)
    if len(of_words) <= 1:
        return []
    bounds = np.pad(np.cumsum([len(one) for one in of_words[:-1]]), (1, 0))
    jumps = np.pad(np.diff(alignment.text_indices), (1, 0), constant_values=1).astype(bool)
    times = np.asarray(alignment.time_indices)[jumps] / TOKENS_PER_SECOND
    return [
        WordTiming(
            word, of_word, float(times[first]), float(times[last]), float(np.mean(alignment.probabilities[first:last]))
        )
        for word, of_word, first, last in zip(words, of_words, bounds[:-1], bounds[1:], strict=False)
    ]


def _shorten_at_sentence_ends(timings: list[WordTiming]) -> tuple[float, float]:
    """Limit words next to the end of a sentence to twice the median duration; return the median and twice that."""
    durations = np.array([one.end - one.start for one in timings])
    durations = durations[durations.nonzero()]
    median = min(LONGEST_MEDIAN, float(np.median(durations)) if len(durations) else 0.0)
    longest = median * 2
    for before, one in pairwise(timings) if len(durations) else ():
        if one.end - one.start > longest:
            if one.word in SENTENCE_ENDS:
                one.end = one.start + longest
            elif before.word in SENTENCE_ENDS:
                one.start = one.end - longest
    return median, longest


def _take_words(rest: Iterator[WordTiming], num_tokens: int, offset: float) -> list[WindowWord]:
    """The next words, until they make up `num_tokens`."""
    words: list[WindowWord] = []
    while num_tokens > 0 and (one := next(rest, None)) is not None:
        if one.word:
            start, end = round(offset + one.start, 2), round(offset + one.end, 2)
            words.append(WindowWord(one.word, start, end, one.probability))
        num_tokens -= len(one.tokens)
    return words


def _shorten_after_pause(words: list[WindowWord], last_speech: float, median: float, longest: float) -> None:
    """Limit the first and second word after a pause to twice the median duration."""
    first, second = words[0], words[1] if len(words) > 1 else None
    is_late = first.end - last_speech > median * 4
    if is_late and (first.end - first.start > longest or (second and second.end - first.start > longest * 2)):
        if second and second.end - second.start > longest:
            first.end = second.start = max(second.end / 2, second.end - longest)
        first.start = max(0, first.end - longest)


def _reconcile_times(segment: WindowSegment, median: float) -> None:
    """Prefer the segment's own times to those of a first or last word that is too long; else take the words'."""
    first, last = segment.words[0], segment.words[-1]
    if segment.start < first.end and segment.start - 0.5 > first.start:
        first.start = max(0, min(first.end - median, segment.start))
    else:
        segment.start = first.start
    if segment.end > last.start and segment.end + 0.5 < last.end:
        last.end = max(last.start + median, segment.end)
    else:
        segment.end = last.end
