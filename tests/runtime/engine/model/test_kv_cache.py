"""Rows of the KV cache are moved and reordered with all that they hold."""

from __future__ import annotations

import pytest
import torch

from whisper_runtime.engine.model.kv_cache import KVCache


@pytest.fixture
def cache() -> KVCache:
    """Four rows of eight positions, and windows of six."""
    generator = torch.Generator().manual_seed(0)
    return KVCache(
        torch.randn(2, 2, 4, 3, 8, 5, generator=generator), torch.randn(2, 2, 4, 3, 6, 5, generator=generator)
    )


def test_a_row_moves_with_its_window_and_the_tokens_that_it_has(cache: KVCache) -> None:
    tokens, windows = cache.self_attention.clone(), cache.cross_attention.clone()
    cache.move(3, 1, 5)
    assert torch.equal(cache.self_attention[:, :, 1, :, :5], tokens[:, :, 3, :, :5])
    assert torch.equal(cache.self_attention[:, :, 1, :, 5:], tokens[:, :, 1, :, 5:])
    assert torch.equal(cache.cross_attention[:, :, 1], windows[:, :, 3])


def test_rows_continue_others_and_keep_the_window(cache: KVCache) -> None:
    tokens, windows = cache.self_attention.clone(), cache.cross_attention.clone()
    cache.reorder([1, 1, 0, 3], 5)
    assert torch.equal(cache.self_attention[..., :5, :], tokens[:, :, [1, 1, 0, 3]][..., :5, :])
    assert torch.equal(cache.cross_attention, windows)


def test_its_size_is_that_of_its_tensors(cache: KVCache) -> None:
    assert (cache.rows, cache.positions) == (4, 8)
