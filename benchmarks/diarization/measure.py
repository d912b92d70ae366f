"""What one dialogue's speakers are worth."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.diarization import overlaps
from benchmarks.diarization.error_rate import Spoken, error_rate
from benchmarks.diarization.kinds import DialogueKind
from benchmarks.parity.sounds import SAMPLE_RATE
from whisper_runtime.diarization.interface import Diarizer, SpeakerBounds, SpeakerTurn


@dataclass(frozen=True)
class SpeakersMeasured:
    error_rate: float
    with_number: float
    """The error rate where the number of speakers is given."""
    speakers: int
    found: int
    seconds: float
    """Of the recording."""
    processor_seconds: float
    least_seconds: float
    """For which the one who speaks least does."""
    overlaps: int = 0
    """Times at which two speak."""
    overlaps_told: int = 0
    """Those of them at which a turn says so."""
    turns: int = 0
    overlaps_false: int = 0
    """Turns that say so where one alone speaks."""


def measure(diarizer: Diarizer, kind: DialogueKind, seed: int) -> SpeakersMeasured:
    made = kind.dialogue(seed)
    spoken = _seconds_spoken(made.truth)
    speakers = len(spoken)
    began = time.thread_time()
    turns = diarizer.turns(made.samples, SpeakerBounds(), (), is_cancelled=lambda: False)
    spent = time.thread_time() - began
    found = len({turn.speaker for turn in turns})
    given = turns
    if found != speakers:
        given = diarizer.turns(made.samples, SpeakerBounds(speakers, speakers), (), is_cancelled=lambda: False)
    return SpeakersMeasured(
        error_rate(made.truth, _spoken(turns)),
        error_rate(made.truth, _spoken(given)),
        speakers,
        found,
        len(made.samples) / SAMPLE_RATE,
        spent,
        min(spoken.values()),
        *overlaps.count(made.truth, turns),
    )


def _seconds_spoken(truth: Sequence[Spoken]) -> dict[str, float]:
    """By speaker."""
    found = defaultdict[str, float](float)
    for one in truth:
        found[one.speaker] += one.end - one.start
    return found


def _spoken(turns: Sequence[SpeakerTurn]) -> list[Spoken]:
    return [Spoken(turn.start, turn.end, turn.speaker) for turn in turns]
