"""Where a long file can be cut so that its pieces do not need each other: at its quietest places."""

from __future__ import annotations

from typing import Final

import numpy as np
from whisper.audio import HOP_LENGTH, N_FRAMES

from whisper_runtime.engine.interface import Samples

SHORTEST_FRAMES: Final = 2000
"""A piece lasts from 20 to 30 seconds: its encoding costs as much as that of 30."""
SMOOTHED_FRAMES: Final = 30
"""A pause between words lasts 0.3 s; a closure within one does not."""


def cuts(samples: Samples) -> list[tuple[int, int]]:
    """The pieces as frames of 10 ms: first, and the one after the last. The last piece may be short."""
    frames = len(samples) // HOP_LENGTH
    framed = samples[: frames * HOP_LENGTH].reshape(frames, HOP_LENGTH)
    power = np.einsum("ij,ij->i", framed, framed)  # squares that stand in memory would be as large as the recording
    pieces: list[tuple[int, int]] = []
    start = 0
    while frames - start > N_FRAMES:
        near = power[start + SHORTEST_FRAMES - SMOOTHED_FRAMES // 2 : start + N_FRAMES + SMOOTHED_FRAMES // 2]
        smoothed = np.convolve(near, np.ones(SMOOTHED_FRAMES), mode="valid")[: N_FRAMES - SHORTEST_FRAMES + 1]
        end = start + SHORTEST_FRAMES + int(smoothed.argmin())
        pieces.append((start, end))
        start = end
    return [*pieces, (start, frames)] if frames > start else pieces
