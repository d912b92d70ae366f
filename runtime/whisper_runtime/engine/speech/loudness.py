"""By how much a quiet recording is made louder before speech is detected in it; pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from whisper_runtime.engine.interface import Samples

PIECE: Final = 60 * 16_000
"""Samples that are looked at together: a minute."""
LOUD_ENOUGH: Final = 0.1
"""Peak of 1.0 from which on the network detects all speech; at a twentieth of it, it detects none."""
MOST_GAIN: Final = 100.0


def detection_gain(samples: Samples) -> np.float32:
    """The factor for all of `samples`: from 1 to MOST_GAIN; noise that is made louder stays noise."""
    peak = max((float(np.abs(samples[at : at + PIECE]).max()) for at in range(0, len(samples), PIECE)), default=0.0)
    return np.float32(min(MOST_GAIN, LOUD_ENOUGH / peak) if 0 < peak < LOUD_ENOUGH else 1.0)
