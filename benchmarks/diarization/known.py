"""Known speakers: how much of their speech has their names, and how much of a third one's speech has one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.diarization.dialogues import dialogue
from benchmarks.diarization.error_rate import Spoken
from benchmarks.diarization.kinds import ACTORS, Sound
from benchmarks.parity.sounds import SAMPLE_RATE
from whisper_runtime.diarization.interface import Diarizer, KnownSpeaker, SpeakerBounds, SpeakerTurn, UnusableReference
from whisper_runtime.engine.interface import Samples

SECONDS: Final = 120
REFERENCE_SECONDS: Final = 8.0
REFERENCE_SEEDS: Final = 10_000
"""Added to a dialogue's seed for the lines of its references, which are other ones."""


@dataclass(frozen=True)
class KnownMeasured:
    right: float
    """Of the seconds of both known speakers, those with the right name."""
    false: float
    """Of the seconds of the third one, those with a known one's name."""
    turns: int = 0
    """Found, which are mostly a known speaker's."""
    right_turns: int = 0
    """Those of them with the right name."""
    third_turns: int = 0
    """Found, which are mostly the third one's."""
    false_turns: int = 0
    """Those of them with a known one's name."""
    refused: bool = False
    """Whether a reference was taken for one of two speakers; then nothing is right."""


def measure(diarizer: Diarizer, seed: int, sound: Sound, sound_of_references: Sound) -> KnownMeasured:
    """A dialogue of the two actors of one language, who are known, and of one of the other language."""
    known, others = ACTORS[seed % 2], ACTORS[1 - seed % 2]
    third = others[seed // 2 % 2]
    made = dialogue(seed, (*known, third), SECONDS)
    references = [KnownSpeaker(name, sound_of_references(_reference(seed + REFERENCE_SEEDS, name))) for name in known]
    try:
        turns = diarizer.turns(sound(made.samples), SpeakerBounds(), references, is_cancelled=lambda: False)
    except UnusableReference:
        return KnownMeasured(0.0, 0.0, refused=True)
    of_known = [one for one in made.truth if one.speaker != third]
    of_third = [one for one in made.truth if one.speaker == third]
    right = sum(_shared(one, [turn for turn in turns if turn.speaker == one.speaker]) for one in of_known)
    false = sum(_shared(one, [turn for turn in turns if turn.speaker in known]) for one in of_third)
    whose = [(_speaker(made.truth, turn), turn.speaker) for turn in turns]
    return KnownMeasured(
        right / _length(of_known),
        false / _length(of_third),
        sum(speaker != third for speaker, _ in whose),
        sum(speaker == name for speaker, name in whose),
        sum(speaker == third for speaker, _ in whose),
        sum(speaker == third and name in known for speaker, name in whose),
    )


def _reference(seed: int, speaker: str) -> Samples:
    return np.asarray(dialogue(seed, (speaker,), 20).samples[: round(REFERENCE_SECONDS * SAMPLE_RATE)])


def _speaker(truth: Sequence[Spoken], turn: SpeakerTurn) -> str:
    """Who speaks most of the turn."""
    shared = dict.fromkeys((one.speaker for one in truth), 0.0)
    for one in truth:
        shared[one.speaker] += _shared(one, [turn])
    return max(shared, key=lambda name: shared[name])


def _shared(one: Spoken, turns: Sequence[SpeakerTurn]) -> float:
    return sum(max(0.0, min(one.end, turn.end) - max(one.start, turn.start)) for turn in turns)


def _length(parts: Sequence[Spoken]) -> float:
    return sum(part.end - part.start for part in parts)
