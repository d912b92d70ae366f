"""The KV cache of a batch: keys and values of each row's tokens, and of the window that it attends to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch


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
