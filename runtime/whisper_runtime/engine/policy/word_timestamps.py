"""Words with their times, out of the times of tokens (whisper/timing.py, add_word_timestamps)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, cast

import numpy as np
from whisper.audio import TOKENS_PER_SECOND
from whisper.timing import WordTiming, merge_punctuations
from whisper.tokenizer import Tokenizer

from whisper_runtime.engine.policy.queries import Heard
from whisper_runtime.engine.policy.segments import Draft, DraftWord

SENTENCE_ENDS: Final = ".。!！?？"  # noqa: RUF001 - upstream's
BEFORE_WORDS: Final = "\"'“¿([{-"
AFTER_WORDS: Final = "\"'.。,，!！?？:：”)]}、"  # noqa: RUF001 - upstream's
LONGEST_MEDIAN: Final = 0.7
"""Seconds of a word, at most, from which "too long" is derived."""


def add_words(
    found: Sequence[Draft], heard: Heard | None, tokenizer: Tokenizer, offset: float, last_speech: float
) -> None:
    """Gives each draft its words, and the drafts their times; `offset` and `last_speech` are seconds of the file."""
    text = [[token for token in draft.tokens if token < tokenizer.eot] for draft in found]
    timings = _timings(heard, [token for tokens in text for token in tokens], tokenizer) if heard else []
    median, longest = _cut_at_sentence_ends(timings)
    merge_punctuations(timings, BEFORE_WORDS, AFTER_WORDS)
    rest = iter(timings)
    for draft, tokens in zip(found, text, strict=True):
        draft.words = _take(rest, len(tokens), offset)
        if draft.words:
            _cut_after_a_pause(draft.words, last_speech, median, longest)
            _settle(draft, median)
            last_speech = draft.end


def text_tokens(found: Sequence[Draft], tokenizer: Tokenizer) -> list[int]:
    return [token for draft in found for token in draft.tokens if token < tokenizer.eot]


def _timings(heard: Heard, tokens: list[int], tokenizer: Tokenizer) -> list[WordTiming]:
    split = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    words, of_words = cast(tuple[list[str], list[list[int]]], split)
    if len(of_words) <= 1:
        return []
    bounds = np.pad(np.cumsum([len(one) for one in of_words[:-1]]), (1, 0))
    jumps = np.pad(np.diff(heard.tokens), (1, 0), constant_values=1).astype(bool)
    times = np.asarray(heard.steps)[jumps] / TOKENS_PER_SECOND
    return [
        WordTiming(
            word, of_word, float(times[first]), float(times[last]), float(np.mean(heard.probabilities[first:last]))
        )
        for word, of_word, first, last in zip(words, of_words, bounds[:-1], bounds[1:], strict=False)
    ]


def _cut_at_sentence_ends(timings: list[WordTiming]) -> tuple[float, float]:
    """The median duration of a word, and twice that: words next to the end of a sentence are not longer."""
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


def _take(rest: Iterator[WordTiming], tokens: int, offset: float) -> list[DraftWord]:
    """The next words, until they make up so many tokens."""
    words: list[DraftWord] = []
    while tokens > 0 and (one := next(rest, None)) is not None:
        if one.word:
            words.append(DraftWord(one.word, round(offset + one.start, 2), round(offset + one.end, 2), one.probability))
        tokens -= len(one.tokens)
    return words


def _cut_after_a_pause(words: list[DraftWord], last_speech: float, median: float, longest: float) -> None:
    """The first and second word after a pause are not longer than twice the median."""
    first, second = words[0], words[1] if len(words) > 1 else None
    is_late = first.end - last_speech > median * 4
    if is_late and (first.end - first.start > longest or (second and second.end - first.start > longest * 2)):
        if second and second.end - second.start > longest:
            first.end = second.start = max(second.end / 2, second.end - longest)
        first.start = max(0, first.end - longest)


def _settle(draft: Draft, median: float) -> None:
    """The segment's own times win over those of a first or last word that is too long; else the words' do."""
    first, last = draft.words[0], draft.words[-1]
    if draft.start < first.end and draft.start - 0.5 > first.start:
        first.start = max(0, min(first.end - median, draft.start))
    else:
        draft.start = first.start
    if draft.end > last.start and draft.end + 0.5 < last.end:
        last.end = max(last.start + median, draft.end)
    else:
        draft.end = last.end
