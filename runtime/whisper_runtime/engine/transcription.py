"""The options of a transcription, and its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Task = Literal["transcribe", "translate"]

ENGINE_VERSION: Final = 1
"""To be raised with each change after which the same samples and options may come to another text: results that are
kept from before it are not taken any more."""

TEMPERATURES: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""The fallback ladder of `whisper.transcribe`."""


@dataclass(frozen=True)
class Options:
    """One request's decoding options, validated by the HTTP side; names and defaults are those of `whisper.transcribe`
    (openai-whisper 20250625) where it has them."""

    task: Task = "transcribe"
    language: str | None = None
    """ISO-639-1 code; None: detected from the first window."""
    languages: tuple[str, ...] = ()
    """ISO-639-1 codes, of which the likeliest is detected; empty: any that the model knows."""
    prompt: str | None = None
    """Text that conditions the first window (`initial_prompt`); None: no such text."""
    keywords: str | None = None
    """Text that precedes the prompt of each window, as an initial prompt does with `carry_initial_prompt`; None: no
    such text."""
    temperatures: tuple[float, ...] = TEMPERATURES
    """Tried in this order until a result is good enough; at least one."""
    condition_on_previous_text: bool = True
    """False: the file is split at quiet places into chunks that are decoded side by side."""
    word_timestamps: bool = False
    logprobs: bool = False
    """Whether segments carry the log-probability of each token."""
    seed: int | None = None
    """Seed of the sampling above temperature 0; None: a random one for each request."""
    without_timestamps: bool = False
    beam_size: int | None = None
    """Beams at temperature 0; None: greedy."""
    patience: float | None = None
    """The search ends once round(beam_size · patience) beams have ended; None: 1.0."""
    best_of: int | None = None
    """Independent samples above temperature 0, of which the likeliest is kept; None: one."""
    clip_timestamps: tuple[float, ...] = ()
    """Seconds: start, end, start, end …; a last end that is missing is the end of the file; empty: the whole file."""
    language_at: float = 0.0
    """Seconds from which on the language is detected; `whisper.transcribe` listens to the beginning."""
    hallucination_silence_threshold: float | None = None
    """Seconds of silence around words that look hallucinated, from which on they are skipped; needs word_timestamps.
    None: nothing is skipped."""


@dataclass(frozen=True)
class Word:
    word: str
    start: float
    """Seconds."""
    end: float
    probability: float
    speaker: str | None = None
    """Whose word it is; None: nobody asked."""
    overlaps: bool | None = None
    """True: another speaker speaks at the same time; None: nobody knows."""


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
    """Empty without `word_timestamps`."""
    token_logprobs: tuple[float, ...] = ()
    """One for each of `tokens`; empty without `logprobs`."""
    channel: int | None = None
    """Of the recording, from 0 on; None: its channels are mixed."""
    speaker: str | None = None
    """Who speaks longest in it; None: nobody asked."""


@dataclass(frozen=True)
class Transcription:
    text: str
    language: str
    """ISO-639-1 code."""
    duration: float
    """Seconds of audio."""
    segments: tuple[Segment, ...]
    language_probability: float | None = None
    """How sure the model is of `language` among all that it knows, from 0 to 1; None: it was not detected."""
    channels: int = 1
    """Recordings that were transcribed: the file's channels, where they are not mixed."""
    is_sampled: bool = False
    """Whether a window was decoded above temperature 0, even if its text was not taken: another run may differ."""

    @property
    def audio_seconds(self) -> float:
        """Seconds of audio that were transcribed, or found to have no speech."""
        return self.duration * self.channels
