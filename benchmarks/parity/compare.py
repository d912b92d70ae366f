"""Differences between the engine's transcription and `whisper.transcribe`'s."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from whisper_runtime.engine.transcription import Segment, Transcription

NO_SPEECH_TOLERANCE: Final = 1e-4
LOGPROB_TOLERANCE: Final = 1e-3
PROBABILITY_TOLERANCE: Final = 1e-3
"""Largest difference of a word's probability."""
EXACT: Final = ("id", "seek", "start", "end", "text", "temperature", "compression_ratio")


def differences(found: Transcription, wanted: dict[str, Any]) -> list[str]:
    """A line for each difference between a transcription and upstream's JSON result; empty: they are equal."""
    return list(_differences(found, wanted))


def _differences(found: Transcription, wanted: dict[str, Any]) -> Iterator[str]:
    if found.language != wanted["language"]:
        yield f"language: {found.language}, upstream {wanted['language']}"
    if found.text != wanted["text"]:
        yield f"text: {found.text!r}, upstream {wanted['text']!r}"
    if len(found.segments) != len(wanted["segments"]):
        yield f"{len(found.segments)} segments, upstream {len(wanted['segments'])}"
    for mine, theirs in zip(found.segments, wanted["segments"], strict=False):
        for line in _of_segment(mine, theirs):
            yield f"segment {mine.id}: {line}"


def _of_segment(mine: Segment, theirs: dict[str, Any]) -> Iterator[str]:
    if list(mine.tokens) != theirs["tokens"]:
        yield f"tokens: {list(mine.tokens)}, upstream {theirs['tokens']}"
    for name in EXACT:
        if getattr(mine, name) != theirs[name]:
            yield f"{name}: {getattr(mine, name)!r}, upstream {theirs[name]!r}"
    for name, tolerance in (("no_speech_prob", NO_SPEECH_TOLERANCE), ("avg_logprob", LOGPROB_TOLERANCE)):
        if abs(getattr(mine, name) - theirs[name]) > tolerance:
            yield f"{name}: {getattr(mine, name)}, upstream {theirs[name]}"
    if _falls_back(mine.avg_logprob, mine.compression_ratio, mine.no_speech_prob) != _falls_back(
        theirs["avg_logprob"], theirs["compression_ratio"], theirs["no_speech_prob"]
    ):
        yield "only one of them would fall back to a higher temperature"
    words = theirs.get("words", [])
    if [(word.word, word.start, word.end) for word in mine.words] != [
        (word["word"], word["start"], word["end"]) for word in words
    ]:
        yield f"words: {mine.words}, upstream {words}"
    elif any(
        abs(word.probability - other["probability"]) > PROBABILITY_TOLERANCE
        for word, other in zip(mine.words, words, strict=True)
    ):
        yield "a word's probability"


def _falls_back(avg_logprob: float, compression_ratio: float, no_speech_prob: float) -> bool:
    """transcribe.py, decode_with_fallback, with its default thresholds."""
    if no_speech_prob > 0.6 and avg_logprob < -1.0:
        return False
    return compression_ratio > 2.4 or avg_logprob < -1.0
