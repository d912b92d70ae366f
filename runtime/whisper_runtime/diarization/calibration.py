"""The thresholds of a speaker encoder, measured with recordings of one speaker each; pure.

Each threshold lies between what one speaker's speech comes to and what two speakers' does: of long speech nearer to the
former, for where three and more speak, two of them are more alike than as a pair; of a few seconds nearer to the
latter, for of many such groups some are far from what one speaker's mostly are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from whisper_runtime.diarization.clustering import (
    LEAST_OF_A_REFERENCE,
    LEAST_WINDOWS,
    LONG_SECONDS,
    middle,
    tree_of,
    with_neighbours,
)
from whisper_runtime.diarization.embedding import Voices, VoiceScale
from whisper_runtime.diarization.windows import STEP_SECONDS

LEAST_SPEAKERS: Final = 2
LEAST_WINDOWS_OF_ONE: Final = 10
MOST_WINDOWS_OF_ONE: Final = 1000
"""Some seven minutes: two speakers' are compared with each other."""
SHORT: Final = round(LONG_SECONDS / STEP_SECONDS)
"""Windows of a piece whose halves are short."""
OF_A_REFERENCE: Final = round(8.0 / STEP_SECONDS)
"""Windows of eight seconds."""
RARE: Final = 10
"""Percent of what is measured of two speakers that may lie beyond what is taken for the outermost."""
OF_LONG, OF_SHORT, OF_LIKENESS = 0.25, 0.75, 0.5
"""How far thresholds are from one speaker's speech, of the way to two speakers'."""
SURELY: Final = 0.85
"""Of the lowest that a few seconds of one speaker's come to: others' come to less."""


class TooLittleSpeech(Exception):
    """There are too few speakers, or too little speech of one; the message says whose."""


@dataclass(frozen=True)
class Between:
    """What one speaker's speech comes to at the least, and what two speakers' comes to at the most."""

    one: float
    two: float

    def at(self, part: float) -> float:
        """So far on the way from one speaker to two."""
        return self.one - part * (self.one - self.two)

    @property
    def tells(self) -> bool:
        """Whether the two lie apart."""
        return self.two < self.one


@dataclass(frozen=True)
class Calibration:
    of_long: Between
    of_short: Between
    of_a_reference: Between
    same: Between

    @property
    def scale(self) -> VoiceScale:
        of_long = self.of_long.at(OF_LONG)
        of_short, of_a_reference = (
            min(of_long, SURELY * between.one, between.at(OF_SHORT)) for between in (self.of_short, self.of_a_reference)
        )
        return VoiceScale(of_long, of_short, of_a_reference, self.same.at(OF_LIKENESS))


def calibrate(speakers: Mapping[str, Sequence[Voices]]) -> Calibration:
    """`speakers`: the windows of each span of one speaker's speech, by the speaker's name. Raises TooLittleSpeech."""
    if len(speakers) < LEAST_SPEAKERS:
        raise TooLittleSpeech(f"there are {len(speakers)} speakers, and at least {LEAST_SPEAKERS} are needed")
    for name, spans in speakers.items():
        if (windows := sum(map(len, spans))) < LEAST_WINDOWS_OF_ONE:
            raise TooLittleSpeech(f"{name} has {windows} windows of speech, and {LEAST_WINDOWS_OF_ONE} are needed")
    plain = [np.concatenate(spans)[:MOST_WINDOWS_OF_ONE] for spans in speakers.values()]
    smooth = [np.concatenate([*map(with_neighbours, spans)])[:MOST_WINDOWS_OF_ONE] for spans in speakers.values()]
    short, references = (
        [_pieces(some, size) for some in of] for of, size in ((smooth, SHORT), (plain, OF_A_REFERENCE))
    )
    return Calibration(
        _between(
            _falls(smooth, SHORT, MOST_WINDOWS_OF_ONE),
            (_lowest(np.concatenate(pair)) for pair in combinations(smooth, 2)),
        ),
        _between(_falls(smooth, LEAST_WINDOWS, SHORT), map(_lowest, _of_two(short))),
        _between((_first(one) for some in references for one in some), map(_first, _of_two(references))),
        _between(_likenesses(references, are_one=True), _likenesses(references, are_one=False)),
    )


def _between(one: Iterator[float], two: Iterator[float]) -> Between:
    """By the outermost of each, of two speakers but for a few."""
    return Between(min(one, default=1.0), float(np.percentile([*two], 100 - RARE)))


def _pieces(voices: Voices, windows: int) -> list[Voices]:
    """Of so many windows each; at least one, which may be shorter."""
    return [piece for at in range(0, len(voices), windows) if len(piece := voices[at : at + windows]) == windows] or [
        voices
    ]


def _of_two(pieces: Sequence[Sequence[Voices]]) -> Iterator[Voices]:
    """Pieces of which one half each is one speaker's."""
    for some, others in combinations(pieces, 2):
        for one, other in zip(some, others, strict=False):
            yield np.concatenate([one[: len(one) // 2], other[: len(other) // 2]])


def _falls(voices: Sequence[Voices], least: int, most: int) -> Iterator[float]:
    """The quotients of groups into which one speaker's windows fall, the shorter one of `least` to `most` windows."""
    for some in voices:
        tree = tree_of(some)
        found = ((smaller, tree.quotient(*halves)) for smaller, halves in tree.halves(tree.root, LEAST_WINDOWS))
        yield from (quotient for smaller, quotient in found if least <= smaller < most)


def _lowest(voices: Voices) -> float:
    """The quotient at which they are first taken for two speakers'."""
    tree = tree_of(voices)
    return min((tree.quotient(*halves) for _, halves in tree.halves(tree.root, LEAST_WINDOWS)), default=1.0)


def _first(voices: Voices) -> float:
    """The quotient that a reference is judged by."""
    tree = tree_of(voices)
    return next((tree.quotient(*halves) for _, halves in tree.halves(tree.root, LEAST_OF_A_REFERENCE)), 1.0)


def _likenesses(references: Sequence[Sequence[Voices]], *, are_one: bool) -> Iterator[float]:
    """Of middles of pieces: with those of the other pieces of the same speaker, or with other speakers'."""
    for number, pieces in enumerate(references):
        for at, piece in enumerate(pieces):
            if are_one and len(pieces) > 1:
                yield _likeness(piece, np.concatenate([*pieces[:at], *pieces[at + 1 :]]))
            elif are_one:
                yield _likeness(piece[: len(piece) // 2], piece[len(piece) // 2 :])
            else:
                others = (other for which, other in enumerate(references) if which != number)
                yield from (_likeness(piece, np.concatenate(other)) for other in others)


def _likeness(one: Voices, other: Voices) -> float:
    return float(middle(one) @ middle(other))
