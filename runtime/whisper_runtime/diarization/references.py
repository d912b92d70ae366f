"""Known speakers: what is asked of a sample of a voice, and which of the speakers found are known ones; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

import numpy as np
from scipy import optimize

from whisper_runtime.diarization.clustering import Vectors, are_two_speakers, middle
from whisper_runtime.diarization.embedding import Voices, VoiceScale
from whisper_runtime.diarization.interface import UnusableReference
from whisper_runtime.engine.speech.spans import Span

LEAST_SPEECH: Final = 1.5
"""Seconds of speech in a reference: about one window."""


def check_speech(name: str, spans: Sequence[Span]) -> None:
    """Raises UnusableReference where the sample of `name` holds too little speech in `spans`."""
    seconds = sum(span.end - span.start for span in spans)
    if not spans:
        raise UnusableReference(f"the reference of {name!r} holds no speech: send 2 to 10 s of this speaker alone")
    if seconds < LEAST_SPEECH:
        raise UnusableReference(
            f"the reference of {name!r} holds {seconds:.1f} s of speech, and at least {LEAST_SPEECH} s are needed: "
            "send a longer one, without pauses"
        )


def anchor(name: str, voices: Voices, scale: VoiceScale) -> Vectors:
    """The middle of the reference's windows, shape (width,), of length 1; raises UnusableReference for two speakers."""
    if are_two_speakers(voices, scale):
        raise UnusableReference(f"the reference of {name!r} holds two speakers: send 2 to 10 s of this speaker alone")
    return middle(voices)


def named(likeness: Vectors, scale: VoiceScale) -> dict[int, int]:
    """Number of the known speaker whom each speaker is; the speakers who are unknown are not in it.

    `likeness`: cosine of each speaker with each known one, shape (speakers, known). A known one is one speaker at most,
    so that the likenesses together are greatest.
    """
    rows, columns = cast(Any, optimize).linear_sum_assignment(
        np.where(likeness >= scale.same, likeness, 0), maximize=True
    )
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return {row: column for row, column in pairs if likeness[row, column] >= scale.same}
