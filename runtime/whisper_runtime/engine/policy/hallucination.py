"""Words that were imagined into silence, and where to listen again (whisper/transcribe.py, with its thresholds)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from whisper.audio import FRAMES_PER_SECOND

from whisper_runtime.engine.policy.segments import Draft, DraftWord
from whisper_runtime.engine.policy.word_timestamps import AFTER_WORDS, BEFORE_WORDS

PUNCTUATION: Final = BEFORE_WORDS + AFTER_WORDS
IMPROBABLE: Final = 0.15
SHORT_SECONDS: Final = 0.133
LONG_SECONDS: Final = 2.0
WORDS_LOOKED_AT: Final = 8


@dataclass(frozen=True)
class Place:
    """The window in the file, in seconds."""

    start: float
    duration: float
    """Without padding."""
    end: float
    """With padding."""
    file_end: float
    last_speech: float


def leading_silence(found: Sequence[Draft], place: Place, threshold: float) -> float | None:
    """Seconds of silence before a first segment that looks imagined; None where all is well."""
    first = _with_words(found)
    if first is None or not _is_odd(first):
        return None
    gap = first.start - place.start
    return gap if gap > threshold else None


def imagined(found: Sequence[Draft], place: Place, threshold: float) -> tuple[int, int | None] | None:
    """The index of the first segment that looks imagined and stands in silence, and the frame to go on from.

    The frame is None where the file ends there.
    """
    last_end = place.last_speech
    for index, draft in enumerate(found):
        if not draft.words:
            continue
        following = _with_words(found[index + 1 :])
        if _is_odd(draft) and _in_silence(draft, following, last_end, place, threshold):
            if place.file_end - draft.end < threshold:
                return index, None
            return index, round(max(place.start + 1, draft.start) * FRAMES_PER_SECOND)
        last_end = draft.end
    return None


def _in_silence(draft: Draft, following: Draft | None, last_end: float, place: Place, threshold: float) -> bool:
    next_start = following.words[0].start if following else place.start + place.duration
    before = draft.start - last_end > threshold or draft.start < threshold or draft.start - place.start < LONG_SECONDS
    after = next_start - draft.end > threshold or _is_odd(following) or place.end - draft.end < LONG_SECONDS
    return before and after


def _is_odd(draft: Draft | None) -> bool:
    if draft is None or not draft.words:
        return False
    words = [word for word in draft.words if word.word not in PUNCTUATION][:WORDS_LOOKED_AT]
    score = sum(_oddity(word) for word in words)
    return score >= 3 or score + 0.01 >= len(words)


def _oddity(word: DraftWord) -> float:
    duration = word.end - word.start
    improbable = 1.0 if word.probability < IMPROBABLE else 0.0
    return improbable + max(0.0, SHORT_SECONDS - duration) * 15 + max(0.0, duration - LONG_SECONDS)


def _with_words(found: Sequence[Draft]) -> Draft | None:
    return next((draft for draft in found if draft.words), None)
