"""The network gives torch's own LSTM's last state, as resemblyzer has it, as a direction."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from whisper_runtime.diarization.ge2e import FRAMES, LAYERS, UNITS, WIDTH, Ge2eNetwork, Weights, shapes
from whisper_runtime.diarization.mel import BANDS, HOP, mel_spectra

PIECES = np.random.default_rng(1).normal(0, 0.05, (3, FRAMES * HOP)).astype(np.float32)


def random_weights() -> Weights:
    torch.manual_seed(1)
    return {name: torch.randn(shape) / 16 for name, shape in shapes().items()}


def test_embeddings_are_those_of_torchs_module_with_the_same_weights() -> None:
    weights = random_weights()
    lstm = torch.nn.LSTM(BANDS, UNITS, LAYERS, batch_first=True)
    lstm.load_state_dict({name.removeprefix("lstm."): weights[name] for name in weights if name.startswith("lstm.")})
    with torch.no_grad():
        _, (hidden, _) = lstm(mel_spectra(torch.from_numpy(PIECES))[:, :FRAMES])
        wanted = torch.relu(hidden[-1] @ weights["linear.weight"].T + weights["linear.bias"])
    wanted /= wanted.norm(dim=1, keepdim=True)
    assert np.abs(Ge2eNetwork(weights).embeddings(PIECES) - wanted.numpy()).max() < 1e-5


def test_embeddings_have_length_1() -> None:
    found = Ge2eNetwork(random_weights()).embeddings(PIECES)
    assert found.shape == (3, WIDTH)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


def test_where_nothing_is_left_of_a_window_its_embedding_is_zeros() -> None:
    weights = random_weights()
    weights["linear.bias"] = torch.full((WIDTH,), -100.0)
    assert not Ge2eNetwork(weights).embeddings(PIECES).any()
