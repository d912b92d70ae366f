from __future__ import annotations

import numpy as np
import pytest
import torch
from whisper.audio import N_SAMPLES, log_mel_spectrogram

from tests.runtime.engine.conftest import exhaust
from whisper_runtime.engine.policy.mel import spectrogram

CPU = torch.device("cpu")


@pytest.mark.parametrize("seconds", [0.0, 0.005, 0.02, 1.0, 29.999, 30.0, 61.23])
def test_pieces_make_up_upstreams_spectrogram(seconds: float) -> None:
    samples = np.random.default_rng(0).standard_normal(int(seconds * 16_000)).astype(np.float32) * 0.1
    found, pauses = exhaust(spectrogram(samples, 80, CPU, frames_at_once=2000))
    wanted = log_mel_spectrogram(samples, 80, padding=N_SAMPLES)
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() < 1e-5
    assert pauses == (int(seconds * 100) + 1) // 2000


def test_values_far_below_the_loudest_point_of_the_file_are_raised() -> None:
    """Given a loud second at the end, which changes the quiet ones before it, as upstream has it."""
    samples = np.random.default_rng(0).standard_normal(5 * 16_000).astype(np.float32) * 1e-6
    samples[4 * 16_000 :] *= 1e6
    found, _ = exhaust(spectrogram(samples, 80, CPU))
    assert (found - log_mel_spectrogram(samples, 80, padding=N_SAMPLES)).abs().max() < 1e-5
