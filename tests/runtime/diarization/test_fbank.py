"""Kaldi's log mel bands, by what they are of tones."""

from __future__ import annotations

import numpy as np
import pytest

from whisper_runtime.diarization.embedding import WINDOW_SAMPLES
from whisper_runtime.diarization.fbank import frames_of, log_mel_bands
from whisper_runtime.engine.interface import Samples

SECONDS = np.arange(WINDOW_SAMPLES) / 16_000


def tone(hertz: float, level: float) -> Samples:
    return (level * np.sin(2 * np.pi * hertz * SECONDS)).astype(np.float32)


def test_a_frame_every_10_ms_that_lies_within_the_piece() -> None:
    assert log_mel_bands(tone(440, 0.1), 1).shape == (frames_of(WINDOW_SAMPLES), 80) == (158, 80)


@pytest.mark.parametrize("scale", [1, 32768])
def test_the_mean_of_each_band_is_left_out(scale: float) -> None:
    found = log_mel_bands(np.random.default_rng(0).normal(0, 0.1, WINDOW_SAMPLES).astype(np.float32), scale)
    assert np.abs(found.mean(axis=0)).max() < 1e-4
    assert found.std() > 0.3


def test_a_tone_that_becomes_louder_does_so_in_its_bands() -> None:
    louder = np.where(SECONDS < 0.8, tone(1000, 0.01), tone(1000, 0.1)).astype(np.float32)
    found = log_mel_bands(louder, 32768)
    band = int(np.abs(found[100]).argmax())
    assert 24 <= band <= 30  # of 80 up to 8 kHz in mel, that of 1 kHz
    assert found[100:, band].mean() - found[:70, band].mean() == pytest.approx(2 * np.log(10), abs=0.2)
