"""Rows attend to their windows alike, whether keys and values of these are kept or the encoder's output alone."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from whisper_runtime.engine.model.kv_cache import KVCache
from whisper_runtime.engine.model.window_attention import (
    AttendedWindows,
    KeptFeatures,
    KeptKeys,
    WindowAttention,
    windows_shape,
)

HEADS, WIDTH, POSITIONS, LAYERS = 4, 32, 50, 3
CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def kinds() -> tuple[WindowAttention, WindowAttention]:
    """The last layer of three: with keys and values kept, and with the encoder's output alone."""
    torch.manual_seed(0)
    key, value = nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, WIDTH)
    both = torch.cat([key.weight, value.weight])
    biases = torch.cat([torch.zeros(WIDTH), value.bias])
    kept_keys = KeptKeys(LAYERS - 1, HEADS, lambda features: F.linear(features, both, biases))
    return kept_keys, KeptFeatures(LAYERS - 1, HEADS, key.weight, value.weight, value.bias)


def cache_of(device: torch.device, windows: int) -> KVCache:
    """As it is on the device, for so many windows."""
    shape = windows_shape(device, LAYERS, windows, HEADS, POSITIONS, WIDTH)
    return KVCache(torch.zeros(LAYERS, 2, 3, HEADS, 8, WIDTH // HEADS), torch.zeros(shape))


@torch.inference_mode()
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("rows", "windows"), [(1, 1), (3, 3), (3, 1)])
@pytest.mark.parametrize("time", [1, 4, WIDTH // HEADS, WIDTH // HEADS + 1])
def test_what_is_attended_to_is_the_same(
    kinds: tuple[WindowAttention, WindowAttention], rows: int, windows: int, time: int, threads: int
) -> None:
    """Given rows with windows of their own, or one that all share, and tokens up to where features are projected."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    query, features = torch.randn(rows, HEADS, time, WIDTH // HEADS), torch.randn(windows, POSITIONS, WIDTH)
    kept_keys, kept_features = kinds
    projected, plain = cache_of(CUDA, windows), cache_of(CPU, windows)
    kept_keys.keep(features, projected.write_windows(0, windows))
    plain.write_windows(0, windows)[0, 0, :, 0] = features
    by_keys, by_features = AttendedWindows(projected, 0, rows), AttendedWindows(plain, 0, rows)
    try:
        found = kept_features(query, by_features)
    finally:
        torch.set_num_threads(before)
    assert found.shape == (rows, time, WIDTH)
    assert torch.allclose(found, kept_keys(query, by_keys), atol=1e-6)
    assert torch.allclose(kept_features.keys(by_features, 2), kept_keys.keys(by_keys, 2), atol=1e-6)


def test_the_encoders_output_is_kept_once_for_all_layers() -> None:
    """Given a layer that is not the first: it writes nothing."""
    weight, features = torch.eye(WIDTH), torch.randn(2, POSITIONS, WIDTH)
    first, second = (KeptFeatures(layer, HEADS, weight, weight, torch.zeros(WIDTH)) for layer in range(2))
    windows = cache_of(CPU, 2).windows
    second.keep(features, windows)
    assert not windows.any()
    first.keep(features, windows)
    assert torch.equal(windows[0, 0, :, 0], features)


def test_a_row_of_base_takes_a_twelfth() -> None:
    row = {device.type: math.prod(windows_shape(device, 6, 1, 8, 1500, 512)) for device in (CPU, CUDA)}
    assert row == {"cpu": 1500 * 512, "cuda": 12 * 1500 * 512}
