"""A transcription as cues that every editor takes; pure.

The model's own times may overlap, have no length, or lie past the end of the file, and whoever reads subtitles refuses
or loses such cues. Here, at the edge, each text with a visible character has one cue: in order, without overlap, inside
the file, and as long as a frame. Times that are right already stay what they are.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from whisper_runtime.diarization.words import spoken_parts
from whisper_runtime.engine.transcription import Segment, Transcription
from whisper_runtime.http.openai.lines import LineLimits, TimedText, texts_of_words

FRAME_MS: Final = 42
"""One frame of a film at 24 per second, rounded up: editors round times to frames, and drop a cue that is shorter.

A text without length takes this from its neighbours' time. Merged with one of them, it would break the limits that the
client set for a cue, and an editor could not delete it alone.
"""

ARROW: Final = re.compile("-{2,}>")
"""What readers take for a line of times; `->` in its place is openai-whisper's."""
CONTROLS: Final = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {ord("\t")})
"""Unicode's control characters but the tab, for str.translate to leave out."""
BLANK_CATEGORIES: Final = frozenset({"Cc", "Cf", "Mn", "Me", "Zs", "Zl", "Zp"})
"""Unicode's categories of controls, formats, lone marks and separators."""
BLANK_LETTERS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Hangul's fillers and Braille's empty cell: blanks that Unicode counts as letters or symbols."""


@dataclass(frozen=True)
class Cue:
    """A text on the screen; times are milliseconds of the file."""

    start: int
    end: int
    text: str
    """One line or more, none of them blank."""
    channel: int | None = None
    """Of the recording, where its channels are transcribed one by one."""
    speaker: str | None = None
    """Who speaks; None: nobody asked."""


def cues_of(found: Transcription, limits: LineLimits | None) -> list[Cue]:
    """The cues of a transcription: one for each segment, or where there are `limits`, by its words."""
    spoken = _texts(found.segments) if limits is None else texts_of_words(found.segments, limits)
    end = math.floor(round(found.duration * 1000, 3))  # rounded first: 1000 times a whole millisecond may be just below
    return _timed(_visible(spoken), end)


def is_visible(text: str) -> bool:
    """Whether any character of `text` leaves a mark on the screen; a note of music does."""
    return any(
        character not in BLANK_LETTERS and unicodedata.category(character) not in BLANK_CATEGORIES for character in text
    )


def _texts(segments: Iterable[Segment]) -> Iterator[TimedText]:
    """One for each segment, or for each of its speakers."""
    for segment in segments:
        if segment.speaker is None:
            yield TimedText(segment.start, segment.end, segment.text, segment.channel)
        else:
            for part in spoken_parts([segment]):
                yield TimedText(part.start, part.end, part.text, segment.channel, part.speaker)


def _visible(spoken: Iterable[TimedText]) -> list[TimedText]:
    """The texts that can be seen. A blank line would end a cue, and a control character a reader's string."""
    cleaned = [text._replace(text=_clean(text.text)) for text in spoken]
    return [text for text in cleaned if text.text]


def _clean(text: str) -> str:
    lines = (line.translate(CONTROLS).strip() for line in text.splitlines())
    return ARROW.sub("->", "\n".join(line for line in lines if is_visible(line)))


def _timed(spoken: Sequence[TimedText], duration: int) -> list[Cue]:
    """Cues in the order of the texts, within `duration` milliseconds; none where that is 0.

    Of two that overlap, the first ends where the second begins: a start is found, an end often only guessed. Where the
    first begins later, its start is the wrong one: where a file is split, a part's last text may be timed past its end.
    """
    if len(spoken) > duration:  # not even a millisecond for each: all that can be shown is all at once
        spoken = [TimedText(0, duration, "\n".join(text.text for text in spoken))] if duration else []
    if not spoken:
        return []
    shortest = min(FRAME_MS, duration // len(spoken))
    starts = [*accumulate((_milliseconds(text.start) for text in reversed(spoken)), min)][::-1]
    ends = [_milliseconds(text.end) for text in spoken]
    ends = [min(end, following) for end, following in zip(ends, [*starts[1:], duration], strict=True)]
    free = 0
    for index, start in enumerate(starts):
        starts[index] = max(start, free)
        free = ends[index] = max(ends[index], starts[index] + shortest)
    limit = duration
    for index in reversed(range(len(spoken))):
        ends[index] = min(ends[index], limit)
        limit = starts[index] = min(starts[index], ends[index] - shortest)
    return [
        Cue(start, end, text.text, text.channel, text.speaker and ARROW.sub("->", text.speaker))
        for start, end, text in zip(starts, ends, spoken, strict=True)
    ]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
