"""How many of the times at which two speak are told as such; pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Final, NamedTuple

from benchmarks.diarization.error_rate import Spoken
from whisper_runtime.diarization.interface import SpeakerTurn

NEAR: Final = 0.4
"""Seconds from a time at which two speak, within which a turn may begin that says so."""


class OverlapsCounted(NamedTuple):
    overlaps: int
    told: int
    turns: int
    false: int


def count(truth: Sequence[Spoken], turns: Sequence[SpeakerTurn]) -> OverlapsCounted:
    pairs = [(max(one.start, other.start), min(one.end, other.end)) for one, other in combinations(truth, 2)]
    both = [(start, end) for start, end in pairs if start < end]
    said = [turn.start for turn in turns if turn.overlaps]
    told = sum(any(start - NEAR < at < end + NEAR for at in said) for start, end in both)
    false = sum(not any(start - NEAR < at < end + NEAR for start, end in both) for at in said)
    return OverlapsCounted(len(both), told, len(turns), false)
