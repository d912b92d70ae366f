"""What a request asks of the engine and what it gets back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Task = Literal["transcribe", "translate"]

TEMPERATURES: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""The fallback ladder of `whisper.transcribe`."""


@dataclass(frozen=True)
class Options:
    """One request's decoding options, checked at the edge; names and defaults are those of `whisper.transcribe`."""

    task: Task = "transcribe"
    language: str | None = None
    """ISO-639-1 code; None: detected from the first window."""
    prompt: str | None = None
    temperatures: tuple[float, ...] = TEMPERATURES
    condition_on_previous_text: bool = True
    """False: the windows of a long file do not wait for each other; it is cut at quiet places."""
    word_timestamps: bool = False
    logprobs: bool = False
    """Whether segments carry the log-probability of each token."""
    seed: int | None = None
    """Of what is drawn above temperature 0; None: another one each time."""
    without_timestamps: bool = False
    beam_size: int | None = None
    """Beams at temperature 0."""
    patience: float | None = None
    best_of: int | None = None
    """Samples to choose from above temperature 0."""
    clip_timestamps: tuple[float, ...] = ()
    """Seconds: start, end, start, end …; a last end that is missing is the end of the file."""
    hallucination_silence_threshold: float | None = None
    """Seconds of silence around words that may be imagined, from which on they are skipped; with word_timestamps."""


@dataclass(frozen=True)
class Word:
    word: str
    start: float
    """Seconds."""
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
    """Where word_timestamps asked for them."""
    token_logprobs: tuple[float, ...] = ()
    """One for each of `tokens`, where logprobs asked for them."""


@dataclass(frozen=True)
class Transcription:
    text: str
    language: str
    """ISO-639-1 code."""
    duration: float
    """Seconds of audio."""
    segments: tuple[Segment, ...]
