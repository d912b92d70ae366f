"""The KV cache of a batch: keys and values of each row's tokens, and of the window that it attends to."""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from dataclasses import dataclass

import torch


def zeros(shape: Sequence[int], dtype: torch.dtype, device: torch.device, *, in_large_pages: bool) -> torch.Tensor:
    """Zeros; on a CPU, in pages that the kernel gives once they are written.

    A row that no window has had then takes no memory, and a start does not wait for it. torch's own zeros are written
    at once. `in_large_pages`: of 2 MiB where the kernel has them, which is right for what is written whole. What is
    written here and there takes a page for each place.
    """
    if device.type != "cpu":
        return torch.zeros(tuple(shape), dtype=dtype, device=device)
    memory = mmap.mmap(-1, math.prod(shape) * dtype.itemsize, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE if in_large_pages else mmap.MADV_NOHUGEPAGE)
    return torch.frombuffer(memory, dtype=dtype).view(tuple(shape))


@dataclass(frozen=True)
class KVCache:
    """Allocated once. Rows that are decoded stand next to each other, so that attention reads them without a copy."""

    self_attention: torch.Tensor
    """(layer, 2, row, head, n_text_ctx, width); 2: keys, values."""
    cross_attention: torch.Tensor
    """(layer, 2, row, head, n_audio_ctx, width); one row where all rows attend to the same window."""

    @property
    def rows(self) -> int:
        return self.self_attention.shape[2]

    @property
    def positions(self) -> int:
        """n_text_ctx"""
        return self.self_attention.shape[4]

    def move(self, source: int, target: int, length: int) -> None:
        """Copy a row of `length` tokens, with its window, over another one."""
        self.self_attention[:, :, target, :, :length] = self.self_attention[:, :, source, :, :length]
        self.cross_attention[:, :, target] = self.cross_attention[:, :, source]

    def reorder(self, sources: Sequence[int], length: int) -> None:
        """Row i continues the `length` tokens of row sources[i] (decoding.py, rearrange_kv_cache)."""
        if list(sources) != list(range(len(sources))):
            kept = self.self_attention[:, :, list(sources), :, :length]
            self.self_attention[:, :, : len(sources), :, :length] = kept
