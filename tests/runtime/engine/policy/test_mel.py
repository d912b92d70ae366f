from __future__ import annotations

import numpy as np
import pytest
import torch
from whisper.audio import N_SAMPLES, log_mel_spectrogram

from whisper_runtime.engine.policy import mel

CPU = torch.device("cpu")


def computed(samples: np.ndarray) -> tuple[torch.Tensor, int]:
    generator, pauses = mel.spectrogram(samples, 80, CPU), 0
    while True:
        try:
            next(generator)
            pauses += 1
        except StopIteration as end:
            return end.value, pauses


@pytest.mark.parametrize("seconds", [0.0, 0.005, 0.02, 1.0, 29.999, 30.0, 61.23])
def test_pieces_make_up_upstreams_spectrogram(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mel, "AT_ONCE", 2000)
    samples = np.random.default_rng(0).standard_normal(int(seconds * 16_000)).astype(np.float32) * 0.1
    found, pauses = computed(samples)
    wanted = log_mel_spectrogram(samples, 80, padding=N_SAMPLES)
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() < 1e-5
    assert pauses == (int(seconds * 100) + 1) // 2000


def test_what_is_far_below_the_loudest_point_of_the_file_is_raised() -> None:
    """Given a loud second at the end, which changes the quiet ones before it, as upstream has it."""
    samples = np.random.default_rng(0).standard_normal(5 * 16_000).astype(np.float32) * 1e-6
    samples[4 * 16_000 :] *= 1e6
    assert (computed(samples)[0] - log_mel_spectrogram(samples, 80, padding=N_SAMPLES)).abs().max() < 1e-5
