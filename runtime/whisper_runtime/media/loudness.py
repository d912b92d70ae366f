"""How loud samples are: whether there is any sound, and whether a mix has lost some; pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE

SILENT: Final = 1e-3
"""Peak of 1.0, below which there is no sound."""
QUIET: Final = 0.05
"""Peak of 1.0; below it, channels of opposite phase may have cancelled each other, but for their noise."""
CANCELLED: Final = 8
"""So many times louder than the mix of both, on average, is a channel that the other one has cancelled."""


def is_below(samples: Samples, peak: float) -> bool:
    """Whether no sample reaches `peak`; speech ends the search within its first second."""
    return not any(np.abs(samples[at : at + SAMPLE_RATE]).max() >= peak for at in range(0, len(samples), SAMPLE_RATE))


def is_lost(other: Samples, mixed: Samples) -> bool:
    """Whether the mix has lost what another one has."""
    return not is_below(other, SILENT) and _average(other) > CANCELLED * _average(mixed)


def _average(samples: Samples) -> float:
    """Their root mean square."""
    return float(np.sqrt(np.mean(np.square(samples), dtype=np.float64)))
