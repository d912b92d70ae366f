"""The protocol between a sequence of windows and the engine: queries that it yields, results that it receives."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import torch


@dataclass(frozen=True, eq=False)
class Window:
    """Thirty seconds to be encoded; every query about the same object is answered from that one encoding."""

    mel: torch.Tensor
    """(n_mels, 3000), float32."""
    seconds: float
    """Seconds of audio not decoded before; 0 for a repeat."""


@dataclass(frozen=True)
class DecodingParams:
    """How one window is decoded: the prompt's tokens, and the search (whisper/decoding.py, DecodingOptions)."""

    prompt: tuple[int, ...]
    """Tokens of earlier text, then the special tokens that set language, task and timestamps; never empty."""
    sot_index: int
    """The index in `prompt` of the token <|startoftranscript|>."""
    timestamps: bool = True
    """Whether timestamp tokens are sampled."""
    temperature: float = 0.0
    beam_size: int | None = None
    """Beams; None: no beam search."""
    patience: float | None = None
    """The search ends once round(beam_size · patience) beams have ended; None: 1.0."""
    best_of: int | None = None
    """Independent samples; None: one."""
    generator: torch.Generator = field(default_factory=torch.Generator, compare=False)
    """The source of random numbers above temperature 0, on the CPU."""

    @property
    def num_candidates(self) -> int:
        """Continuations that are followed at once."""
        return self.beam_size or self.best_of or 1


@dataclass(frozen=True)
class DetectLanguage:
    """Answered by DetectedLanguage."""

    window: Window
    among: tuple[str, ...] = ()
    """ISO-639-1 codes of the languages that it may be; empty: any."""


@dataclass(frozen=True)
class DecodeWindow:
    """Answered by DecodedTokens."""

    window: Window
    params: DecodingParams


@dataclass(frozen=True)
class AlignTokens:
    """Asks when each token is spoken; answered by Alignment."""

    window: Window
    tokens: tuple[int, ...]
    """Special tokens, text tokens, <|endoftext|>."""
    num_special: int
    """The number of special tokens before the text, <|notimestamps|> not counted."""
    num_frames: int
    """Mel frames of 10 ms in the window that are not padding."""


@dataclass(frozen=True)
class Pause:
    """Asks for nothing: the generator has computed for a while, and other requests may run. Answered by None."""


Query = DetectLanguage | DecodeWindow | AlignTokens | Pause


@dataclass(frozen=True)
class DetectedLanguage:
    code: str
    """ISO-639-1."""
    probability: float


@dataclass(frozen=True)
class DecodedTokens:
    tokens: tuple[int, ...]
    """Text and timestamp tokens, without <|endoftext|>."""
    logprobs: tuple[float, ...]
    """One for each token, and one for <|endoftext|> where the model sampled it; natural logarithms."""
    sum_logprob: float
    no_speech_prob: float

    @property
    def avg_logprob(self) -> float:
        """As whisper/decoding.py computes it: <|endoftext|> counts as a token even where it is missing."""
        return self.sum_logprob / (len(self.tokens) + 1)


@dataclass(frozen=True)
class Alignment:
    """The best monotonic path between text tokens and time (whisper/timing.py, find_alignment)."""

    probabilities: tuple[float, ...]
    """Probability of each text token, given those before it."""
    text_indices: tuple[int, ...]
    """The path: the index of a text token …"""
    time_indices: tuple[int, ...]
    """… and, at the same place in this tuple, a step of 20 ms."""


QueryResult = DetectedLanguage | DecodedTokens | Alignment | None

QueryGenerator = Generator[Query, QueryResult, None]
"""Yields queries and is sent their results; it ends when the audio is transcribed."""
