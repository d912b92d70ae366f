"""Rows of the KV cache are moved and reordered with all that they hold."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from whisper_runtime.engine.model.kv_cache import KVCache, zeros


@pytest.fixture
def cache() -> KVCache:
    """Four rows of eight positions, and windows of six."""
    generator = torch.Generator().manual_seed(0)
    return KVCache(
        torch.randn(2, 2, 4, 3, 8, 5, generator=generator), torch.randn(2, 2, 4, 3, 6, 5, generator=generator)
    )


def test_a_row_moves_with_its_window_and_the_tokens_that_it_has(cache: KVCache) -> None:
    tokens, windows = cache.self_attention.clone(), cache.windows.clone()
    cache.move(3, 1, 5)
    assert torch.equal(cache.self_attention[:, :, 1, :, :5], tokens[:, :, 3, :, :5])
    assert torch.equal(cache.self_attention[:, :, 1, :, 5:], tokens[:, :, 1, :, 5:])
    assert torch.equal(cache.windows[:, :, 1], windows[:, :, 3])


def test_rows_continue_others_and_keep_the_window(cache: KVCache) -> None:
    tokens, windows = cache.self_attention.clone(), cache.windows.clone()
    cache.reorder([1, 1, 0, 3], 5)
    assert torch.equal(cache.self_attention[..., :5, :], tokens[:, :, [1, 1, 0, 3]][..., :5, :])
    assert torch.equal(cache.windows, windows)


def test_a_window_is_packed_until_another_is_written_or_moved_there() -> None:
    """Given two rows of which the encoder's output is kept: six positions of width 16."""
    cache = KVCache(torch.zeros(1, 2, 2, 1, 8, 16), torch.randn(1, 1, 2, 1, 6, 16))
    weights = torch.eye(6)

    def packed(row: int) -> torch.Tensor:
        return cache.packed_window(row).mix(weights)

    assert torch.allclose(packed(0), cache.windows[0, 0, 0, 0])
    assert cache.packed_window(0) is cache.packed_window(0)
    assert torch.allclose(packed(1), cache.windows[0, 0, 1, 0])
    assert torch.allclose(packed(0), cache.windows[0, 0, 0, 0])
    cache.move(1, 0, 3)
    assert torch.allclose(packed(0), cache.windows[0, 0, 1, 0])
    cache.write_windows(0, 1)[0, 0, 0, 0] = torch.randn(6, 16)
    assert torch.allclose(packed(0), cache.windows[0, 0, 0, 0])
    assert torch.allclose(cache.packed_window(0).scores(torch.eye(16)), cache.windows[0, 0, 0, 0].mT)


def test_its_size_is_that_of_its_tensors(cache: KVCache) -> None:
    assert (cache.rows, cache.positions) == (4, 8)


@pytest.mark.parametrize("in_large_pages", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_begins_with_zeros_that_lie_as_torchs_own_do(dtype: torch.dtype, *, in_large_pages: bool) -> None:
    found = zeros((2, 3, 5), dtype, torch.device("cpu"), in_large_pages=in_large_pages)
    assert torch.equal(found, torch.zeros(2, 3, 5, dtype=dtype))
    assert found.data_ptr() % 64 == 0
    assert found.is_contiguous()


def test_a_window_takes_memory_once_it_is_written() -> None:
    """Given eight rows of 32 MiB each."""
    before = _anonymous_mib()
    rows = zeros((8, 8 << 20), torch.float32, torch.device("cpu"), in_large_pages=True)
    assert _anonymous_mib() - before < 32
    rows[0] = 1
    assert 28 < _anonymous_mib() - before < 96


def test_a_few_tokens_of_each_row_take_a_few_pages_of_each() -> None:
    """Given 64 places of 2 MiB, of which 4 KiB are written."""
    before = _anonymous_mib()
    rows = zeros((64, 512 << 10), torch.float32, torch.device("cpu"), in_large_pages=False)
    rows[:, :1024] = 1
    assert _anonymous_mib() - before < 8


def _anonymous_mib() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon"))) / 1024
