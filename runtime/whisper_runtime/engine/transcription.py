"""What a request asks of the engine and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Task = Literal["transcribe", "translate"]

TEMPERATURES: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""The fallback ladder of `whisper.transcribe`."""


@dataclass(frozen=True)
class Options:
    """One request's decoding options, checked at the edge."""

    task: Task = "transcribe"
    language: str | None = None
    """ISO-639-1 code; None: detected from the first window."""
    prompt: str | None = None
    temperatures: tuple[float, ...] = TEMPERATURES
    condition_on_previous_text: bool = True
    word_timestamps: bool = False
    """Fill `Segment.words`."""
    logprobs: bool = False
    """Fill `Segment.token_logprobs`."""
    seed: int | None = None
    """Of what is drawn at temperatures above 0; None: any."""


@dataclass(frozen=True)
class Word:
    """A word as it is written, with the space before it and its punctuation, and its times in seconds."""

    word: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True)
class Segment:
    """A piece of speech with its times in seconds, as `whisper.transcribe` reports it."""

    id: int
    seek: int
    """The window's offset in frames of 10 ms."""
    start: float
    end: float
    text: str
    tokens: tuple[int, ...]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float
    words: tuple[Word, ...] = ()
    token_logprobs: tuple[float, ...] = ()
    """One for each of `tokens`."""


@dataclass(frozen=True)
class Transcription:
    text: str
    """The texts of all segments, one after the other."""
    language: str
    """ISO-639-1 code."""
    duration: float
    """Seconds of audio."""
    segments: tuple[Segment, ...]
