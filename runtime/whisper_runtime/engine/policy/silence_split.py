"""Splits a long file at its quietest places, so that its chunks can be decoded independently."""

from __future__ import annotations

from typing import Final

import numpy as np
from whisper.audio import HOP_LENGTH, N_FRAMES

from whisper_runtime.engine.interface import Samples

SHORTEST_FRAMES: Final = 2000
"""A chunk lasts from 20 to 30 seconds: its encoding costs as much as that of 30."""
SMOOTHED_FRAMES: Final = 30
"""A pause between words lasts 0.3 s; a closure within a word does not."""


def split_at_silence(samples: Samples) -> list[tuple[int, int]]:
    """Chunks as frames of 10 ms: the first, and the one after the last. The last chunk may be short; no audio: none."""
    frames = len(samples) // HOP_LENGTH
    framed = samples[: frames * HOP_LENGTH].reshape(frames, HOP_LENGTH)
    power = np.einsum("ij,ij->i", framed, framed)  # squares kept in memory would be as large as the recording
    chunks: list[tuple[int, int]] = []
    start = 0
    while frames - start > N_FRAMES:
        near = power[start + SHORTEST_FRAMES - SMOOTHED_FRAMES // 2 : start + N_FRAMES + SMOOTHED_FRAMES // 2]
        smoothed = np.convolve(near, np.ones(SMOOTHED_FRAMES), mode="valid")[: N_FRAMES - SHORTEST_FRAMES + 1]
        end = start + SHORTEST_FRAMES + int(smoothed.argmin())
        chunks.append((start, end))
        start = end
    return [*chunks, (start, frames)] if frames > start else chunks
