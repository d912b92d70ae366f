"""The diarization error rate: seconds that are missed, false, or another speaker's, of all that are spoken; pure.

As NIST's md-eval and pyannote.metrics define it: speakers are mapped one to one so that most time is right, and what is
nearer to an edge of the truth than the collar is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from scipy import optimize

FRAME: Final = 0.01
"""Seconds; times are compared in such steps."""


class Spoken(NamedTuple):
    """A time in which one speaker speaks, in seconds."""

    start: float
    end: float
    speaker: str


def error_rate(truth: Sequence[Spoken], found: Sequence[Spoken], collar: float = 0.25) -> float:
    """From 0 on; may exceed 1. Raises ValueError where nothing is left of the truth."""
    frames = round(max(one.end for one in [*truth, *found]) / FRAME) + 1
    counted = np.ones(frames, np.bool_)
    for edge in {edge for one in truth for edge in (one.start, one.end)}:
        counted[max(0, round((edge - collar) / FRAME)) : round((edge + collar) / FRAME)] = False
    right, ours = _speaks(truth, frames)[:, counted], _speaks(found, frames)[:, counted]
    if not right.any():
        raise ValueError("no speech is left of the truth beside its edges: take a smaller collar or a longer recording")
    together = right.astype(np.int64) @ ours.T.astype(np.int64)
    rows, columns = cast(Any, optimize).linear_sum_assignment(together, maximize=True)
    correct = together[rows, columns].sum()
    return float((np.maximum(right.sum(axis=0), ours.sum(axis=0)).sum() - correct) / right.sum())


def _speaks(parts: Sequence[Spoken], frames: int) -> npt.NDArray[np.bool_]:
    """Shape (speakers, frames)."""
    names = sorted({part.speaker for part in parts})
    found = np.zeros((len(names), frames), np.bool_)
    for part in parts:
        found[names.index(part.speaker), round(part.start / FRAME) : round(part.end / FRAME)] = True
    return found
