"""Tokens are aligned with time as openai-whisper aligns them, by any number of heads."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from whisper.timing import dtw_cpu, median_filter

from tests.fakes.runner import FaultyRunner
from whisper_runtime.engine.batching.alignment import TextAttention, align, attend
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.policy.queries import AlignTokens, Window

SPECIAL = 3


def attention_of(heads: int, tokens: int, positions: int) -> TextAttention:
    generator = torch.Generator().manual_seed(heads)
    inputs = [
        (3 * torch.randn(tokens, 64, generator=generator), 3 * torch.randn(positions, 64, generator=generator))
        for _ in range(heads)
    ]
    return TextAttention((0.5,) * (tokens - SPECIAL - 2), SPECIAL, inputs)


def upstream(attention: TextAttention) -> np.ndarray:
    """The path by all heads at once (whisper/timing.py, find_alignment; model.py, qkv_attention without SDPA)."""
    query, keys = (torch.stack(inputs)[None] for inputs in zip(*attention.heads, strict=True))
    scale = 64**-0.25
    weights = ((query * scale) @ (keys * scale).transpose(-1, -2))[0].softmax(dim=-1)
    std, mean = torch.std_mean(weights, dim=-2, keepdim=True, unbiased=False)
    matrix = median_filter((weights - mean) / std, 7).mean(dim=0)[SPECIAL:-1]
    return dtw_cpu((-matrix).double().numpy())


@pytest.mark.parametrize(
    ("heads", "tokens", "positions"), [(1, 6, 2), (6, 30, 550), (10, 228, 1500), (23, 60, 1500), (320, 9, 300)]
)
def test_the_path_is_that_of_upstream(heads: int, tokens: int, positions: int) -> None:
    attention = attention_of(heads, tokens, positions)
    found = align(attention)
    assert np.array_equal(np.array([found.text_indices, found.time_indices]), upstream(attention))
    assert found.probabilities == attention.probabilities


def test_a_head_that_attends_to_nothing_leaves_the_path_that_upstream_finds() -> None:
    """Given weights that are 0 for every token, whose deviation cannot be divided by."""
    attention = attention_of(4, 12, 200)
    attention.heads[1][1][50:] *= 1e6
    assert np.array_equal(np.array([align(attention).text_indices, align(attention).time_indices]), upstream(attention))


@torch.inference_mode()
def test_what_was_read_outlives_the_row(smallest: WhisperModel, runner: FaultyRunner) -> None:
    """Given another window in the same row, before the alignment is computed."""
    tokens = (50258, 50259, 50359, 50363, 400, 401, 50257)
    query = AlignTokens(Window(torch.zeros(80, 3000), 30.0), tokens, SPECIAL, 800)
    cache = smallest.decoder.new_cache(1, 1500)
    smallest.decoder.cache_windows(torch.randn(1, 1500, 16), cache, 0)
    attention = attend(smallest, cache, 0, query, 50257)
    wanted = align(attention)
    cache.windows.zero_()
    cache.self_attention.zero_()
    assert align(attention) == wanted
    assert len(wanted.probabilities) == 2
    assert max(wanted.time_indices) == 399


@pytest.mark.slow
def test_what_is_compiled_is_loaded_by_the_first_alignment_alone() -> None:
    program = (
        "import sys, whisper_runtime.engine.batching.scheduler; "
        "sys.exit('whisper_runtime.engine.batching.time_warping' in sys.modules)"
    )
    assert subprocess.run((sys.executable, "-c", program), timeout=300).returncode == 0
