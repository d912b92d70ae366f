"""The spectrum is librosa's, and pieces are read side by side as alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from whisper_runtime.diarization.mel import BANDS, mel_spectra

NOISE = (0.1 * np.random.default_rng(1).standard_normal(1600)).astype(np.float32)
SHOWN = [0, 3, 14, 20, 39]
OF_LIBROSA = {
    0: [0.0053982, 0.00263402, 0.0216836, 0.00334761, 0.00734302],
    5: [0.0884783, 0.0132265, 0.0226485, 0.0552143, 0.0413115],
    10: [0.0127184, 0.0433933, 0.0102197, 0.00791544, 0.00908637],
}
"""Bands SHOWN of some frames: librosa.feature.melspectrogram(y=NOISE, sr=16000, n_fft=400, hop_length=160, n_mels=40),
0.11.0."""


def test_the_spectrum_is_librosas() -> None:
    (found,) = mel_spectra(torch.from_numpy(NOISE)[None])
    assert found.shape == (11, BANDS)
    for frame, bands in OF_LIBROSA.items():
        assert found[frame, SHOWN].tolist() == pytest.approx(bands, rel=1e-4)


def test_pieces_side_by_side_have_the_spectra_that_each_has_alone() -> None:
    pieces = torch.stack([torch.from_numpy(NOISE), torch.from_numpy(NOISE[::-1].copy())])
    alone = torch.cat([mel_spectra(piece[None]) for piece in pieces])
    assert torch.allclose(mel_spectra(pieces), alone, rtol=1e-5)


def test_four_times_the_power_is_four_times_the_spectrum() -> None:
    piece = torch.from_numpy(NOISE)[None]
    assert torch.allclose(mel_spectra(2 * piece), 4 * mel_spectra(piece), rtol=1e-4)
