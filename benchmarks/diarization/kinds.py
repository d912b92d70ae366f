"""The kinds of dialogues that are measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.diarization.dialogues import SPEAKERS, Dialogue, by_telephone, dialogue, in_8_kilohertz
from benchmarks.parity.sounds import noisy
from whisper_runtime.engine.interface import Samples

ACTORS: Final = (("nl/v", "nl/m"), ("cs/v", "cs/m"))
"""The two of each language; dialogues take them by turns."""

Sound = Callable[[Samples], Samples]
"""What a recording goes through."""
SpeakersOf = Callable[[int], tuple[str, ...]]
"""Who speaks in the dialogue of a seed."""


def as_it_is(samples: Samples) -> Samples:
    return samples


def with_noise(samples: Samples) -> Samples:
    return noisy(samples, 15)


def actors(seed: int) -> tuple[str, ...]:
    return ACTORS[seed % len(ACTORS)]


def some_of_all(count: int) -> SpeakersOf:
    return lambda seed: tuple(np.random.default_rng(seed).permutation(SPEAKERS)[:count].tolist())


@dataclass(frozen=True)
class DialogueKind:
    name: str
    dialogues: int
    minutes: float
    speakers: SpeakersOf = actors
    sound: Sound = as_it_is
    overlapping: float = 0.0
    """The part of changes of speakers at which two speak at once."""

    def dialogue(self, seed: int) -> Dialogue:
        made = dialogue(seed, self.speakers(seed), 60 * self.minutes, self.overlapping)
        return Dialogue(self.sound(made.samples), made.truth)


KINDS: Final = (
    DialogueKind("two speakers, clean", 10, 1),
    DialogueKind("two speakers, telephone", 10, 1, sound=by_telephone),
    DialogueKind("two speakers, noise (15 dB)", 6, 1, sound=with_noise),
    DialogueKind("two speakers, overlaps at 3 of 10 changes", 6, 1, overlapping=0.3),
    DialogueKind("one speaker, telephone", 8, 1, lambda seed: (SPEAKERS[seed % len(SPEAKERS)],), by_telephone),
    DialogueKind("three speakers, telephone", 10, 2, some_of_all(3), by_telephone),
    DialogueKind("four speakers, telephone", 10, 2, some_of_all(4), by_telephone),
    DialogueKind("four speakers, clean", 6, 2, some_of_all(4)),
    DialogueKind("two speakers, clean", 2, 10),
    DialogueKind("two speakers, telephone", 2, 10, sound=by_telephone),
    DialogueKind("two speakers, clean", 1, 60),
)

OF_KNOWN: Final = (
    ("clean, references too", as_it_is, as_it_is),
    ("telephone, references too", by_telephone, by_telephone),
    ("telephone, references clean", by_telephone, as_it_is),
    ("clean, references by telephone", as_it_is, by_telephone),
    ("8 kHz with what is low, references clean", in_8_kilohertz, as_it_is),
)
"""The sound of dialogues with known speakers, and of the references."""
KNOWN_DIALOGUES: Final = 8
BESIDE: Final = (KINDS[0], KINDS[1], KINDS[5], KINDS[6])
"""What another way of clustering is measured with."""
OF_WORDS: Final = (
    DialogueKind("two speakers, clean", 3, 1.5),
    DialogueKind("two speakers, telephone", 3, 1.5, sound=by_telephone),
    DialogueKind("three speakers, telephone", 2, 1.5, some_of_all(3), by_telephone),
)
"""What is transcribed, too."""
