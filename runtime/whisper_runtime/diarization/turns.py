"""From the likeness of windows to who speaks when; pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from whisper_runtime.diarization.clustering import Vectors
from whisper_runtime.engine.speech.network import Probabilities
from whisper_runtime.engine.speech.spans import FRAME_SECONDS, Span

SEARCH_SECONDS: Final = 0.4
"""Around a change of speakers, in which the quietest place is looked for."""
JOINED_SECONDS: Final = 0.5
"""A shorter pause of one speaker ends no turn."""
SPEAKS_ON: Final = 0.5
"""Probability of speech: a speaker who pauses brings it below, also where another one begins at once. Where it stays
above around a change of speakers, they speak at the same time (ADR 106)."""
LEAST_SECONDS: Final = 0.3
"""Of a turn between two others: a shorter one is the neighbour's."""


class Stretch(NamedTuple):
    """A time in which the speaker of one number speaks."""

    start: float
    end: float
    speaker: int
    overlaps: bool = False
    """Whether it begins while the one before still speaks; False: nobody knows."""


class SpeakerChange(NamedTuple):
    """Where one speaker ends and the next one begins."""

    at: float
    overlaps: bool


def stretches(
    spans: Sequence[Span], windows: Sequence[Sequence[Span]], likeness: Vectors, probabilities: Probabilities
) -> list[Stretch]:
    """Who speaks when, in order, from the windows of each span and their likeness to each speaker (windows, speakers).

    `probabilities` are those of speech, which are lowest where one speaker ends and the next one begins.
    """
    found: list[Stretch] = []
    first = 0
    for span, of_span in zip(spans, windows, strict=True):
        scores = likeness[first : first + len(of_span)]
        first += len(of_span)
        for stretch in _of_span(span, of_span, scores, probabilities):
            before = found[-1] if found else None
            if before and before.speaker == stretch.speaker and stretch.start - before.end <= JOINED_SECONDS:
                found[-1] = before._replace(end=stretch.end)
            else:
                found.append(stretch)
    return found


def _of_span(span: Span, windows: Sequence[Span], scores: Vectors, probabilities: Probabilities) -> Iterator[Stretch]:
    labels = _labels(span, windows, scores)
    changes = np.flatnonzero(np.diff(labels)) + 1
    found = [_change(span.start + at * FRAME_SECONDS, probabilities) for at in changes]
    begins = [SpeakerChange(span.start, overlaps=False), *found]
    ends = [*(change.at for change in found), span.end]
    speakers = [int(labels[0]), *(int(labels[at]) for at in changes)]
    for begin, end, speaker in zip(begins, ends, speakers, strict=True):
        if end > begin.at:
            yield Stretch(begin.at, end, speaker, begin.overlaps)


def _labels(span: Span, windows: Sequence[Span], scores: Vectors) -> npt.NDArray[np.intp]:
    """The likeliest speaker of each frame: each window counts most in its middle."""
    count = max(1, round((span.end - span.start) / FRAME_SECONDS))
    at = span.start + (np.arange(count) + 0.5) * FRAME_SECONDS
    total = np.zeros((count, scores.shape[1]), np.float32)
    for window, score in zip(windows, scores, strict=True):
        half = (window.end - window.start) / 2
        weight = np.maximum(0, 1 - np.abs(at - (window.start + half)) / half) + 1e-6
        inside = (at >= window.start) & (at <= window.end)
        total[inside] += weight[inside, None] * score
    return _without_short(total.argmax(axis=1))


def _without_short(labels: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Short runs in the middle become what is before them."""
    edges = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    smooth = labels.copy()
    for start, end in list(itertools.pairwise(edges))[1:-1]:
        if (end - start) * FRAME_SECONDS < LEAST_SECONDS:
            smooth[start:end] = smooth[start - 1]
    return smooth


def _change(near: float, probabilities: Probabilities) -> SpeakerChange:
    """At the time near `near` at which speech is least likely."""
    first = max(0, round((near - SEARCH_SECONDS) / FRAME_SECONDS))
    last = min(len(probabilities), round((near + SEARCH_SECONDS) / FRAME_SECONDS))
    if last <= first:
        return SpeakerChange(near, overlaps=False)
    quietest = first + int(probabilities[first:last].argmin())
    return SpeakerChange((quietest + 0.5) * FRAME_SECONDS, overlaps=bool(probabilities[quietest] >= SPEAKS_ON))
