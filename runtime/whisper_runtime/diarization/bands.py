"""What of a voice a recording has kept: telephones leave out what is low and what is high of it; pure.

One voice by telephone and from a studio is two to an encoder. What both have in common is compared then (ADR 118).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from whisper_runtime.diarization.mel import SAMPLE_RATE
from whisper_runtime.engine.interface import Samples

LOWEST, HIGHEST = 300.0, 3400.0
"""Hertz that every telephone lets through."""
LOWS: Final = (60.0, 200.0)
"""Hertz, above the mains' hum."""
LEAST_LOWS: Final = 10**-2.4
"""Of the power in between. Wide recordings have from 0.011 on, those by telephone up to 0.0016."""
HIGHS: Final = (4500.0, 8000.0)
"""Hertz: 8000 samples a second hold what is below 4000, and who makes more of them leaves a little above it."""
LEAST_HIGHS: Final = 10**-4.2
"""Of the power in between."""


class Band(NamedTuple):
    """What of a voice's frequencies a recording has beside those of a telephone."""

    has_lows: bool
    has_highs: bool


def band_of(pieces: Samples) -> Band:
    """Of pieces of speech of one voice, shape (pieces, samples)."""
    spectra, hertz = _spectra(pieces * np.hanning(pieces.shape[1]).astype(np.float32))
    power = (np.abs(spectra) ** 2).sum(axis=0)
    lows, middle, highs = (
        float(power[(hertz >= low) & (hertz < high)].sum()) for low, high in (LOWS, (LOWEST, HIGHEST), HIGHS)
    )
    return Band(lows > LEAST_LOWS * middle, highs > LEAST_HIGHS * middle)


def by_telephone(pieces: Samples) -> Samples:
    """The same without what a telephone leaves out; where it has gone through one, little is changed."""
    spectra, hertz = _spectra(pieces)
    spectra[:, (hertz < LOWEST) | (hertz > HIGHEST)] = 0
    return np.fft.irfft(spectra, pieces.shape[1]).astype(np.float32)


def _spectra(pieces: Samples) -> tuple[npt.NDArray[np.complex128], npt.NDArray[np.floating[Any]]]:
    """Those of the pieces, and their frequencies in hertz."""
    return np.fft.rfft(pieces), np.fft.rfftfreq(pieces.shape[1], 1 / SAMPLE_RATE)
