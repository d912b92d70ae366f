"""Transcriptions of words with times, and what openai-whisper's own writers make of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from whisper.utils import SubtitlesWriter

from tests.fakes.engine import SEGMENT, SPOKEN
from whisper_runtime.engine.transcription import Segment, Transcription, Word


def segment(start: float, end: float, text: str = " Ask not.", *words: Word) -> Segment:
    return replace(SEGMENT, start=start, end=end, text=text, words=words)


def said(text: str, start: float = 0.0, seconds: float = 0.5) -> Segment:
    """A segment of the words of `text`, each as long, one after the other."""
    words = [
        Word(f" {word}", start + number * seconds, start + (number + 1) * seconds, 0.9)
        for number, word in enumerate(text.split())
    ]
    return segment(words[0].start, words[-1].end, "".join(word.word for word in words), *words)


def recording(*segments: Segment, duration: float = 60.0) -> Transcription:
    return replace(SPOKEN, text="".join(one.text for one in segments), segments=segments, duration=duration)


def written(writer: type[SubtitlesWriter], segments: Sequence[Segment], **limits: int | None) -> str:
    """The file that openai-whisper's command line writes: with limits, of words."""
    cut = ("start", "end", "text", "words") if limits else ("start", "end", "text")
    result: dict[str, Any] = {"segments": [{name: asdict(one)[name] for name in cut} for one in segments]}
    file = io.StringIO()
    writer("").write_result(result, file, limits)  # pyright: ignore[reportUnknownMemberType]
    return file.getvalue()
