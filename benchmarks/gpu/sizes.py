"""How much is measured: large-v3's size on a card, and a model of seconds where the run is only rehearsed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class RunSize:
    layers: int
    """Of the encoder, and as many of the decoder."""
    width: int
    """Of both; heads are 64 wide, as in every model of openai-whisper."""
    rows: tuple[int, ...]
    """Rows of the decode steps that are measured."""
    windows: tuple[int, ...]
    """Windows of the encodings that are measured."""
    clients: tuple[int, ...]
    requests: int
    """Of each client, in a round."""
    rounds: int = 3
    tokens: int = 22
    """That each request decodes: what a clip of `seconds` has in English."""
    seconds: float = 4.7
    repeats: int = 50
    """Of a step or an encoding, of which the median is told."""


SIZES: Final = {
    "large-v3": RunSize(32, 1280, rows=(1, 8, 32, 64), windows=(1, 2, 4, 8), clients=(1, 8, 32), requests=6),
    "small": RunSize(
        2, 128, rows=(1, 2), windows=(1, 2), clients=(1, 2), requests=2, rounds=2, tokens=5, seconds=1.5, repeats=3
    ),
}
