"""How many words are given to the right speaker, by the engine's own times of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
from scipy import optimize

from benchmarks.diarization.error_rate import Spoken
from benchmarks.diarization.kinds import DialogueKind
from benchmarks.parity import run
from whisper_runtime.diarization.interface import Diarizer, SpeakerBounds
from whisper_runtime.diarization.words import with_speakers
from whisper_runtime.engine.batching.scheduler import Scheduler
from whisper_runtime.engine.transcription import Options, Transcription, Word

NEAR: Final = 0.25
"""Seconds from all speech, beyond which a word is nobody's: it was invented."""
OPTIONS: Final = Options(word_timestamps=True, temperatures=(0.0,))


@dataclass(frozen=True)
class WordsMeasured:
    words: int
    """Which somebody has spoken."""
    right: int
    """Those of them that the right speaker has, the speakers' names mapped one to one so that most are right."""
    nobodys: int


def measure(engine: Scheduler, diarizer: Diarizer, kind: DialogueKind, seed: int) -> WordsMeasured:
    """The language is detected, at the dialogue's beginning."""
    made = kind.dialogue(seed)
    turns = diarizer.turns(made.samples, SpeakerBounds(), (), is_cancelled=lambda: False)
    return count(made.truth, with_speakers(run.transcribe(engine, made.samples, OPTIONS), turns))


def count(truth: Sequence[Spoken], found: Transcription) -> WordsMeasured:
    """Of a transcription whose words have their speakers; pure."""
    words = [word for segment in found.segments for word in segment.words]
    whose = [_speaker(truth, word) for word in words]
    pairs = Counter((name, word.speaker or "") for name, word in zip(whose, words, strict=True) if name)
    names, speakers = sorted({name for name, _ in pairs}), sorted({speaker for _, speaker in pairs})
    together = np.array([[pairs[name, speaker] for speaker in speakers] for name in names]).reshape(len(names), -1)
    rows, columns = cast(Any, optimize).linear_sum_assignment(together, maximize=True)
    return WordsMeasured(pairs.total(), int(together[rows, columns].sum()), whose.count(None))


def _speaker(truth: Sequence[Spoken], word: Word) -> str | None:
    """Who speaks most of the word's time, or next to it; None: nobody does within NEAR."""
    best = max(truth, key=lambda one: min(one.end, word.end) - max(one.start, word.start))
    shared = min(best.end, word.end) - max(best.start, word.start)
    return best.speaker if shared > -NEAR else None
