"""Words and speakers, brought together by their times; pure.

The text is the transcription's: no word is added, left out or moved.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby
from string import ascii_uppercase
from typing import Final

from whisper_runtime.diarization.interface import SpeakerTurn
from whisper_runtime.engine.transcription import Segment, Transcription, Word

ONLY_SPEAKER: Final = "A"
"""Whose words they are where no turn was found: there is text, so somebody was understood."""


OVERLAP_SECONDS: Final = 0.25
"""From a change at which two speak at once, within which a word is one of those."""


@dataclass(frozen=True)
class SpokenPart:
    """A part of a segment that one speaker speaks, in seconds of the recording."""

    start: float
    end: float
    speaker: str
    text: str
    """As the segment has it, with the space before its first word."""
    overlaps: bool | None = None
    """True: in a part of it another speaker speaks, too; None: nobody knows."""


def with_speakers(found: Transcription, turns: Sequence[SpeakerTurn]) -> Transcription:
    """The transcription, each of its words and segments with its speaker. `turns` may come in any order."""
    turns_at = _TurnsAt(turns)
    return replace(found, segments=tuple(_segment(segment, turns_at) for segment in found.segments))


def with_channels_as_speakers(found: Transcription) -> Transcription:
    """The transcription, whose channels are one speaker each: `A`, `B`, … in the order in which they begin."""
    names = dict[int | None, str]()
    for segment in found.segments:
        names.setdefault(segment.channel, ascii_uppercase[len(names)])
    segments = tuple(replace(segment, speaker=names[segment.channel], words=()) for segment in found.segments)
    return replace(found, segments=segments)


def spoken_parts(segments: Sequence[Segment]) -> Iterator[SpokenPart]:
    """The segments, cut where the speaker changes; their joined texts are the segments' texts.

    Of segments that `with_speakers` gives. One without text has no part.
    """
    for segment in segments:
        if segment.text:
            yield from _parts(segment)


class _TurnsAt:
    """Turns by their times."""

    def __init__(self, turns: Sequence[SpeakerTurn]) -> None:
        self._turns = sorted(turns, key=lambda turn: turn.start)
        self._starts = [turn.start for turn in self._turns]
        self._latest = list(accumulate(self._turns, lambda one, other: max(one, other, key=lambda turn: turn.end)))
        """For each turn, that of it and the earlier ones which ends last."""
        self._overlaps = [turn.start for turn in self._turns if turn.overlaps]

    def speaker(self, start: float, end: float) -> str:
        """Whose turn has most of that time; where none has any of it, whose is next to it. The earlier of two alike."""
        following = bisect_left(self._starts, end)
        first = following
        while first and self._latest[first - 1].end > start:
            first -= 1
        nearby = [*self._latest[max(0, first - 1) : first], *self._turns[first : following + 1]]
        if not nearby:
            return ONLY_SPEAKER
        # What they have in common; below 0 it is the distance between them.
        return max(nearby, key=lambda turn: min(turn.end, end) - max(turn.start, start)).speaker

    def overlaps(self, start: float, end: float) -> bool | None:
        """Whether two speak at once then, or just beside it; None: nobody knows."""
        following = bisect_left(self._overlaps, start - OVERLAP_SECONDS)
        return True if self._overlaps[following:] and self._overlaps[following] <= end + OVERLAP_SECONDS else None


def _segment(segment: Segment, turns_at: _TurnsAt) -> Segment:
    speakers = [turns_at.speaker(word.start, word.end) for word in segment.words]
    if not speakers:
        return replace(segment, speaker=turns_at.speaker(segment.start, segment.end))
    seconds = defaultdict[str, float](float)
    for word, speaker in zip(segment.words, speakers, strict=True):
        seconds[speaker] += word.end - word.start
    words = tuple(
        replace(word, speaker=speaker, overlaps=turns_at.overlaps(word.start, word.end))
        for word, speaker in zip(segment.words, speakers, strict=True)
    )
    return replace(segment, words=words, speaker=max(seconds, key=lambda speaker: seconds[speaker]))


def _parts(segment: Segment) -> Iterator[SpokenPart]:
    speaker = segment.speaker or ONLY_SPEAKER
    runs = [(speaker, list(run)) for speaker, run in groupby(segment.words, key=lambda word: word.speaker or speaker)]
    if len(runs) < 2 or _text(segment.words) != segment.text:
        yield SpokenPart(segment.start, segment.end, speaker, segment.text, _overlap(segment.words))
        return
    for whose, words in runs:
        yield SpokenPart(words[0].start, words[-1].end, whose, _text(words), _overlap(words))


def _overlap(words: Sequence[Word]) -> bool | None:
    return any(word.overlaps for word in words) or None


def _text(words: Sequence[Word]) -> str:
    return "".join(word.word for word in words)
