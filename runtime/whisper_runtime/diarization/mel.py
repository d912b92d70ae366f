"""The spectrum that GE2E's network reads: power in 40 mel bands, not its logarithm, for each 10 ms.

As librosa.feature.melspectrogram (0.11) gives it to resemblyzer (0.1.4, audio.py): windows of 25 ms by Hann, bands on
Slaney's scale from 0 to 8 kHz, each of area 1, and zeros before the first sample and after the last one.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

SAMPLE_RATE: Final = 16_000
HOP: Final = 160
LENGTH: Final = 400
BANDS: Final = 40
LINEAR_HERTZ: Final = 200 / 3
"""Of a mel below the break, where Slaney's scale is linear."""
BREAK_HERTZ: Final = 1000.0
LOG_STEP: Final = np.log(6.4) / 27
"""Of a mel above it."""


def mel_spectra(pieces: torch.Tensor) -> torch.Tensor:
    """Shape (pieces, frames, BANDS) of pieces of one length, shape (pieces, samples): a frame around each multiple of
    HOP, the first one at 0, the last one at most at the piece's end."""
    padded = F.pad(pieces, (LENGTH // 2, LENGTH // 2))
    spectra = torch.stft(padded, LENGTH, HOP, window=_hann(), center=False, return_complex=True)
    return spectra.abs().square().mT @ _bands()


@cache
def _hann() -> torch.Tensor:
    return torch.hann_window(LENGTH)


@cache
def _bands() -> torch.Tensor:
    """Weight of each frequency in each band, shape (LENGTH // 2 + 1, BANDS)."""
    edges = _hertz(np.linspace(0, _mel(SAMPLE_RATE / 2), BANDS + 2))
    frequencies = np.linspace(0, SAMPLE_RATE / 2, LENGTH // 2 + 1)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (frequencies - low) / (middle - low), (high - frequencies) / (high - middle)
    triangles = np.maximum(0, np.minimum(rising, falling)) * (2 / (high - low))
    return torch.as_tensor(triangles, dtype=torch.float32)


def _mel(hertz: float) -> float:
    linear = hertz / LINEAR_HERTZ
    return linear if hertz < BREAK_HERTZ else BREAK_HERTZ / LINEAR_HERTZ + float(np.log(hertz / BREAK_HERTZ) / LOG_STEP)


def _hertz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    breaking = BREAK_HERTZ / LINEAR_HERTZ
    return np.where(mels < breaking, mels * LINEAR_HERTZ, BREAK_HERTZ * np.exp(LOG_STEP * (mels - breaking)))
