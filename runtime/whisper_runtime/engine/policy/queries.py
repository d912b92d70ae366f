"""What a request's generator of windows asks for, and what it is answered."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch


@dataclass(frozen=True, eq=False)
class Window:
    """Thirty seconds to be encoded; what is asked of the same window again is answered from that one encoding."""

    mel: torch.Tensor
    """(n_mels, 3000), float32."""
    seconds: float
    """Of speech that nobody has heard yet."""


@dataclass(frozen=True)
class Script:
    """How a window is to be decoded."""

    prompt: tuple[int, ...]
    """What the decoder is given before it speaks: earlier text, and the tokens that steer it."""
    sot: int
    """Where in the prompt the transcript starts."""
    timed: bool = True
    temperature: float = 0.0
    beam_size: int | None = None
    patience: float | None = None
    best_of: int | None = None
    random: torch.Generator = field(default_factory=torch.Generator, compare=False)
    """What is drawn above temperature 0."""

    @property
    def candidates(self) -> int:
        """How many continuations are followed at once."""
        return self.beam_size or self.best_of or 1


@dataclass(frozen=True)
class Detect:
    """Asks which language is spoken; answered by Language."""

    window: Window


@dataclass(frozen=True)
class Decode:
    """Asks for the window's words; answered by Said."""

    window: Window
    script: Script


@dataclass(frozen=True)
class Align:
    """Asks when each token is spoken; answered by Heard."""

    window: Window
    tokens: tuple[int, ...]
    """What steers the decoder, text, the end."""
    skip: int
    """How many of `tokens` only steer."""
    frames: int
    """Mel frames of the window that are not padding."""


@dataclass(frozen=True)
class Pause:
    """Asks for nothing: work of the generator's own took a while, and others may have their turn."""


Work = Detect | Decode | Align | Pause


@dataclass(frozen=True)
class Language:
    code: str
    probability: float


@dataclass(frozen=True)
class Said:
    tokens: tuple[int, ...]
    """Without the end."""
    logprobs: tuple[float, ...]
    """One for each token, and one for the end where the model came to it."""
    sum_logprob: float
    no_speech_prob: float

    @property
    def avg_logprob(self) -> float:
        return self.sum_logprob / (len(self.tokens) + 1)


@dataclass(frozen=True)
class Heard:
    probabilities: tuple[float, ...]
    """Of each text token, given those before it."""
    tokens: tuple[int, ...]
    """The path of the best alignment: which text token …"""
    steps: tuple[int, ...]
    """… at which step of 20 ms."""


Answer = Language | Said | Heard | None
