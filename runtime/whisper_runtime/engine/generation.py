"""What may be sampled, as a checkpoint's own files say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_INITIAL_TIMESTAMP: Final = 50
"""Steps of 20 ms: by openai-whisper's rules a window's first timestamp is at most one second."""


@dataclass(frozen=True)
class GenerationRules:
    """Defaults are openai-whisper's rules (whisper/decoding.py, DecodingOptions)."""

    suppressed: tuple[int, ...] | None = None
    """Tokens that never come; None: symbols that are not spoken, and special tokens of the prompt."""
    blank: tuple[int, ...] | None = None
    """Tokens that may not come first; None: a lone space, <|endoftext|>."""
    max_initial_timestamp: int | None = MAX_INITIAL_TIMESTAMP
    """The window's first timestamp at most, in steps of 20 ms; None: any."""


OPENAI_RULES: Final = GenerationRules()
