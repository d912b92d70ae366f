"""The network that turns 1.6 s of speech into a voice: GE2E's, with the weights of a file of resemblyzer's layout.

Three layers of LSTM, whose last state goes through a linear layer and a ReLU and is then of length 1 (Wan et al. 2018,
"Generalized end-to-end loss for speaker verification").
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from whisper_runtime.diarization.embedding import VoiceScale
from whisper_runtime.diarization.mel import BANDS, mel_spectra
from whisper_runtime.engine.interface import Samples

FRAMES: Final = 160
"""Of the mel spectrum in one window."""
UNITS: Final = 256
LAYERS: Final = 3
WIDTH: Final = 256
"""Numbers of an embedding."""

SCALE: Final = VoiceScale(of_long=0.915, of_short=0.74, of_a_reference=0.69, same=0.86)
"""As benchmarks/diarization has them with seeds for tuning. By telephone, halves of one speaker had from 0.92 on where
the shorter one has 8 s, and two speakers who are much alike there up to 0.913; of 3 to 10 s from 0.79 to 0.9 and up to
0.78. References of one actor, who changes his voice, had 0.73 at least. One speaker's middles were from 0.89 on, those
of two actors up to 0.79; by telephone, speakers who are much alike reach 0.9."""

Weights = dict[str, torch.Tensor]


def shapes() -> dict[str, tuple[int, ...]]:
    """Shape of each tensor of the network by its name in the file."""
    recurrent = {
        f"lstm.{part}_l{layer}": shape
        for layer in range(LAYERS)
        for part, shape in {
            "weight_ih": (4 * UNITS, UNITS if layer else BANDS),
            "weight_hh": (4 * UNITS, UNITS),
            "bias_ih": (4 * UNITS,),
            "bias_hh": (4 * UNITS,),
        }.items()
    }
    return {**recurrent, "linear.weight": (WIDTH, UNITS), "linear.bias": (WIDTH,)}


class Ge2eNetwork:
    scale = SCALE

    def __init__(self, weights: Weights) -> None:
        """`weights`: tensors of `shapes()`."""
        self._recurrent = [weights[name] for name in shapes() if name.startswith("lstm.")]
        self._linear = weights["linear.weight"], weights["linear.bias"]

    @torch.inference_mode()
    def embeddings(self, pieces: Samples) -> npt.NDArray[np.float32]:
        """Shape (pieces, WIDTH), each row of length 1 or of zeros, of pieces of shape (pieces, FRAMES * HOP)."""
        mels = mel_spectra(torch.as_tensor(pieces))[:, :FRAMES]
        start = torch.zeros(LAYERS, len(mels), UNITS)
        _, hidden, _ = torch.lstm(mels, (start, start), self._recurrent, True, LAYERS, 0.0, False, False, True)
        return F.normalize(F.linear(hidden[-1], *self._linear).relu(), dim=1).numpy()
