"""Words as the lines of subtitles; pure. The rules are those of openai-whisper's command line (whisper/utils.py,
SubtitlesWriter), whose options have the same names."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from whisper_runtime.engine.transcription import Segment, Word

LONG_PAUSE: Final = 3.0
"""Seconds from one word's start to the next one's, from above which on they share no cue."""


@dataclass(frozen=True)
class LineLimits:
    """The most that a cue has; at least one is set. None: any number."""

    max_line_width: int | None = None
    """Characters in a line; a longer word has a line of its own."""
    max_line_count: int | None = None
    """Lines in a cue; needs `max_line_width`."""
    max_words_per_line: int | None = None
    """Words in a cue; not beside both others."""


class TimedText(NamedTuple):
    """Text that is spoken at one time, in seconds as the model says."""

    start: float
    end: float
    text: str
    channel: int | None = None
    """Of the recording, where its channels are transcribed one by one."""
    speaker: str | None = None
    """Who speaks; None: nobody asked."""


def texts_of_words(segments: Sequence[Segment], limits: LineLimits) -> Iterator[TimedText]:
    """The texts of the cues that these segments' words make, with lines by `limits`; each is of one channel."""
    channels = sorted({segment.channel for segment in segments}, key=lambda channel: channel or 0)
    each = ([segment for segment in segments if segment.channel == channel] for channel in channels)
    return heapq.merge(
        *(_of_one_channel(spoken, limits, channel) for spoken, channel in zip(each, channels, strict=True)),
        key=lambda text: text.start,
    )


def _of_one_channel(segments: Sequence[Segment], limits: LineLimits, channel: int | None) -> Iterator[TimedText]:
    for phrase in _of_one_speaker(_phrases(segments, limits)):
        lines = list(_lines(phrase, limits.max_line_width))
        count = limits.max_line_count or len(lines)
        for first in range(0, len(lines), count):
            shown = lines[first : first + count]
            text = "\n".join(map(_text, shown))
            yield TimedText(shown[0][0].start, shown[-1][-1].end, text, channel, phrase[0].speaker)


def _of_one_speaker(phrases: Iterator[Sequence[Word]]) -> Iterator[Sequence[Word]]:
    """The phrases, cut where the speaker changes."""
    for phrase in phrases:
        yield from (list(words) for _, words in groupby(phrase, key=lambda word: word.speaker))


def _phrases(segments: Sequence[Segment], limits: LineLimits) -> Iterator[Sequence[Word]]:
    """Words that may share a cue: those between two long pauses where width and number of lines are limited, else
    those of a segment, so many at once."""
    if limits.max_line_width and limits.max_line_count:
        yield from _between_pauses([word for segment in segments for word in segment.words])
    else:
        for segment in segments:
            count = limits.max_words_per_line or len(segment.words) or 1
            for first in range(0, len(segment.words), count):
                yield segment.words[first : first + count]


def _between_pauses(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    begin = 0
    for index, (before, word) in enumerate(pairwise(words), 1):
        if word.start - before.start > LONG_PAUSE:
            yield words[begin:index]
            begin = index
    if words:
        yield words[begin:]


def _lines(words: Sequence[Word], width: int | None) -> Iterator[list[Word]]:
    """As many words in each line as fit into `width` characters; None: all of them."""
    line: list[Word] = []
    length = 0
    for word in words:
        length += len(word.word)
        if line and width and length > width:
            yield line
            line = []
        if not line:
            length = len(word.word.strip())
        line.append(word)
    yield line


def _text(line: Sequence[Word]) -> str:
    return "".join(word.word for word in line).strip()
