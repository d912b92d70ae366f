"""From the probability of speech to the parts of a recording that are transcribed; pure.

The rule of silero-vad's get_speech_timestamps, which faster-whisper has as `vad_parameters` with the same names and the
defaults that are here; then parts are joined where that takes the model fewer windows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

FRAME_SECONDS: Final = 512 / 16_000
"""Each probability is for so much."""
WINDOW_SECONDS: Final = 30.0
"""The model reads as much at once, however little of it is asked for."""
HYSTERESIS: Final = 0.15
LEAST_THRESHOLD: Final = 0.01


class Span(NamedTuple):
    """A part of a recording, in seconds."""

    start: float
    end: float


@dataclass(frozen=True)
class SpeechDetection:
    """What counts as speech."""

    threshold: float = 0.5
    """The probability from which on speech begins."""
    neg_threshold: float | None = None
    """The one below which speech may end; None: `threshold` less 0.15."""
    min_speech_duration_ms: float = 0
    """Speech that is not longer is none."""
    max_speech_duration_s: float = math.inf
    """Longer speech is cut where it is least likely."""
    min_silence_duration_ms: float = 2000
    """Speech ends with a silence of this length."""
    speech_pad_ms: float = 400
    """Kept before and after speech, or as much as there is up to the next one."""


def speech_spans(probabilities: npt.NDArray[np.float32], duration: float, detection: SpeechDetection) -> list[Span]:
    """The speech in a recording of `duration` seconds, in order and without overlap."""
    least = detection.min_speech_duration_ms / 1000
    spoken = (Span(start, min(end, duration)) for start, end in _spoken(probabilities, detection))
    long_enough = [span for span in spoken if span.end - span.start > least]
    pad = detection.speech_pad_ms / 1000
    most = max(FRAME_SECONDS, detection.max_speech_duration_s - 2 * pad)
    return _padded([piece for span in long_enough for piece in _cut(span, probabilities, most)], pad, duration)


def clips(spans: Sequence[Span], detection: SpeechDetection) -> list[Span]:
    """The parts of the recording that hold these spans, in as few windows of the model as one after the other takes.

    Neighbours are one part, with the silence between them, where that saves a window, and where the part is not longer
    than speech may be.
    """
    joined: list[Span] = []
    for span in spans:
        both = Span(joined[-1].start, span.end) if joined else span
        saves = bool(joined) and _windows(both) < _windows(joined[-1]) + _windows(span)
        if saves and both.end - both.start <= detection.max_speech_duration_s:
            joined[-1] = both
        else:
            joined.append(span)
    return joined


def spared_windows(parts: Sequence[Span], duration: float) -> int:
    """By how many windows the model reads less of a recording of `duration` seconds where it gets these parts alone."""
    return max(0, _windows(Span(0.0, duration)) - sum(map(_windows, parts)))


def _windows(span: Span) -> int:
    return math.ceil((span.end - span.start) / WINDOW_SECONDS)


def _spoken(probabilities: npt.NDArray[np.float32], detection: SpeechDetection) -> Iterator[Span]:
    """From a frame with speech to the first of so many without; speech that goes on to the last frame ends there."""
    lower = detection.neg_threshold
    if lower is None:
        lower = max(detection.threshold - HYSTERESIS, LEAST_THRESHOLD)
    silence = detection.min_silence_duration_ms / 1000
    start = quiet = None
    for index, probability in enumerate(probabilities.tolist()):
        at = index * FRAME_SECONDS
        if probability >= detection.threshold:
            start, quiet = at if start is None else start, None
        elif probability < lower and start is not None:
            quiet = at if quiet is None else quiet
            if at - quiet >= silence:
                yield Span(start, quiet)
                start = quiet = None
    if start is not None:
        yield Span(start, len(probabilities) * FRAME_SECONDS)


def _cut(span: Span, probabilities: npt.NDArray[np.float32], most: float) -> Iterator[Span]:
    """The pieces of a span, of at most so many seconds each; the later half of each is searched for its end."""
    start = span.start
    while span.end - start > most:
        first, last = (round((start + part * most) / FRAME_SECONDS) for part in (0.5, 1.0))
        end = (first + int(probabilities[first : max(last, first + 1)].argmin())) * FRAME_SECONDS
        yield Span(start, end := max(end, start + FRAME_SECONDS))
        start = end
    yield Span(start, span.end)


def _padded(spans: Sequence[Span], pad: float, duration: float) -> list[Span]:
    """Neighbours that are nearer than two pads share what is between them."""
    starts, ends = [span.start for span in spans], [span.end for span in spans]
    if not spans:
        return []
    between = [min(pad, (after.start - before.end) / 2) for before, after in pairwise(spans)]
    before = [min(pad, starts[0]), *between]
    after = [*between, min(pad, duration - ends[-1])]
    return [
        Span(start - early, end + late) for start, end, early, late in zip(starts, ends, before, after, strict=True)
    ]
