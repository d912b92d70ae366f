"""The KV cache of a batch: keys and values of each row's tokens, and of the window that it attends to."""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from whisper_runtime.engine.model.linear import PackedLinear, pack_matrix


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
class PackedWindow:
    """The encoder's output for one window, packed for attention to it by a handful of queries."""

    scores: PackedLinear
    """(query, width) to (query, n_audio_ctx): the products with each position."""
    mix: PackedLinear
    """(query, n_audio_ctx) to (query, width): the sum of the positions, by these weights."""


@dataclass(eq=False)
class KVCache:
    """Allocated once. Rows that are decoded stand next to each other, so that attention reads them without a copy."""

    self_attention: torch.Tensor
    """(layer, 2, row, head, n_text_ctx, width); 2: keys, values."""
    windows: torch.Tensor
    """What is kept of each row's window, (…, …, row, …, …, …): see window_attention.windows_shape. One row where all
    rows attend to the same window."""
    _packed: tuple[int, PackedWindow] | None = field(default=None, init=False)
    """A row, and its window."""

    @property
    def rows(self) -> int:
        return self.self_attention.shape[2]

    @property
    def positions(self) -> int:
        """n_text_ctx"""
        return self.self_attention.shape[4]

    def write_windows(self, first_row: int, count: int) -> torch.Tensor:
        """The windows of `count` rows from `first_row` on, to be written."""
        self._packed = None
        return self.windows[:, :, first_row : first_row + count]

    def packed_window(self, row: int) -> PackedWindow:
        """That of a row of which the encoder's output is kept; packed anew where another row was asked for last."""
        if self._packed is None or self._packed[0] != row:
            features = self.windows[0, 0, row, 0]
            self._packed = row, PackedWindow(pack_matrix(features), pack_matrix(features.mT.contiguous()))
        return self._packed[1]

    def move(self, source: int, target: int, length: int) -> None:
        """Copy a row of `length` tokens, with its window, over another one."""
        self.self_attention[:, :, target, :, :length] = self.self_attention[:, :, source, :, :length]
        self.write_windows(target, 1)[:, :, 0] = self.windows[:, :, source]

    def reorder(self, sources: Sequence[int], length: int) -> None:
        """Row i continues the `length` tokens of row sources[i] (decoding.py, rearrange_kv_cache)."""
        if list(sources) != list(range(len(sources))):
            kept = self.self_attention[:, :, list(sources), :, :length]
            self.self_attention[:, :, : len(sources), :, :length] = kept
