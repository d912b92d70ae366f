"""Finds words that were hallucinated into silence (whisper/transcribe.py, hallucination_silence_threshold)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from whisper.audio import FRAMES_PER_SECOND

from whisper_runtime.engine.policy.segments import WindowSegment, WindowWord
from whisper_runtime.engine.policy.word_timestamps import APPEND_PUNCTUATIONS, PREPEND_PUNCTUATIONS

PUNCTUATION: Final = PREPEND_PUNCTUATIONS + APPEND_PUNCTUATIONS
IMPROBABLE: Final = 0.15
SHORT_SECONDS: Final = 0.133
LONG_SECONDS: Final = 2.0
MAX_WORDS: Final = 8
"""Words at the start of a segment whose anomaly scores are added up."""


@dataclass(frozen=True)
class WindowSpan:
    """A window's place in the file; all in seconds."""

    start: float
    duration: float
    """Without padding."""
    end: float
    """With padding."""
    file_end: float
    last_speech: float
    """The end of the last word before this window; 0 at the start of the file."""


def leading_silence(segments: Sequence[WindowSegment], span: WindowSpan, threshold: float) -> float | None:
    """Seconds of silence before a first segment that is an anomaly; None where it is none, or not above `threshold`."""
    first = _first_with_words(segments)
    if first is None or not _is_anomaly(first):
        return None
    gap = first.start - span.start
    return gap if gap > threshold else None


def first_hallucination(
    segments: Sequence[WindowSegment], span: WindowSpan, threshold: float
) -> tuple[int, int | None] | None:
    """The index of the first segment that is an anomaly amid silence, and the frame at which to decode next.

    The frame is None where the file ends there. None: no segment is one.
    """
    last_end = span.last_speech
    for index, segment in enumerate(segments):
        if not segment.words:
            continue
        following = _first_with_words(segments[index + 1 :])
        if _is_anomaly(segment) and _in_silence(segment, following, last_end, span, threshold):
            if span.file_end - segment.end < threshold:
                return index, None
            return index, round(max(span.start + 1, segment.start) * FRAMES_PER_SECOND)
        last_end = segment.end
    return None


def _in_silence(
    segment: WindowSegment, following: WindowSegment | None, last_end: float, span: WindowSpan, threshold: float
) -> bool:
    next_start = following.words[0].start if following else span.start + span.duration
    before = (
        segment.start - last_end > threshold or segment.start < threshold or segment.start - span.start < LONG_SECONDS
    )
    after = next_start - segment.end > threshold or _is_anomaly(following) or span.end - segment.end < LONG_SECONDS
    return before and after


def _is_anomaly(segment: WindowSegment | None) -> bool:
    """transcribe.py, is_segment_anomaly."""
    if segment is None or not segment.words:
        return False
    words = [word for word in segment.words if word.word not in PUNCTUATION][:MAX_WORDS]
    score = sum(_anomaly_score(word) for word in words)
    return score >= 3 or score + 0.01 >= len(words)


def _anomaly_score(word: WindowWord) -> float:
    """transcribe.py, word_anomaly_score."""
    duration = word.end - word.start
    improbable = 1.0 if word.probability < IMPROBABLE else 0.0
    return improbable + max(0.0, SHORT_SECONDS - duration) * 15 + max(0.0, duration - LONG_SECONDS)


def _first_with_words(segments: Sequence[WindowSegment]) -> WindowSegment | None:
    return next((segment for segment in segments if segment.words), None)
