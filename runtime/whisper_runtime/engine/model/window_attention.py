"""Attention to windows: what a row keeps of its encoded window, and how each of the decoder's layers attends to it.

A GPU keeps each layer's keys and values. A CPU keeps the encoder's output alone, which all layers share: a row of base
holds 3 MiB in the place of 36, and a window is never projected. Since q·(K x) = (Kᵀ q)·x, a query is projected in the
place of 1500 positions; and a mean of values is the value of the mean, for weights that add up to one. That is more
arithmetic for less memory to read: a window that is attended to alone is packed for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch.nn import functional as F

from whisper_runtime.engine.model.kv_cache import KVCache, PackedWindow
from whisper_runtime.engine.model.layers import merge_heads
from whisper_runtime.engine.model.linear import PackedLinear


@dataclass(frozen=True)
class AttendedWindows:
    """The windows of the rows of one forward pass."""

    cache: KVCache
    first_row: int
    rows: int

    @property
    def kept(self) -> torch.Tensor:
        """What is kept of them; of one row where the cache is shared."""
        windows = self.cache.windows
        return windows if windows.shape[2] == 1 else windows[:, :, self.first_row : self.first_row + self.rows]

    @property
    def packed(self) -> PackedWindow:
        """The one that all rows attend to."""
        return self.cache.packed_window(0 if self.cache.windows.shape[2] == 1 else self.first_row)


class WindowAttention(Protocol):
    """One layer's."""

    def keep(self, features: torch.Tensor, windows: torch.Tensor) -> None:
        """Write what is kept of `features`, (row, n_audio_ctx, n_audio_state), into as many rows of KVCache.windows."""
        ...

    def keys(self, windows: AttendedWindows, head: int) -> torch.Tensor:
        """(n_audio_ctx, width) of the first row."""
        ...

    def __call__(self, query: torch.Tensor, windows: AttendedWindows) -> torch.Tensor:
        """(row, head, time, width) to (row, time, head · width); all rows attend to the same window if there is one."""
        ...


def windows_shape(
    device: torch.device, layers: int, rows: int, heads: int, positions: int, width: int
) -> tuple[int, int, int, int, int, int]:
    """(layer, 2, row, head, n_audio_ctx, width); on a CPU there is one of all but rows and positions, as wide as the
    model, whose width is given."""
    return (
        (1, 1, rows, 1, positions, width)
        if device.type == "cpu"
        else (layers, 2, rows, heads, positions, width // heads)
    )


class KeptKeys:
    """Keys and values are projected once, and kept."""

    def __init__(self, layer: int, heads: int, key_value: PackedLinear) -> None:
        """`key_value` projects the encoder's output to keys and values, concatenated."""
        self._layer, self._heads, self._key_value = layer, heads, key_value

    def keep(self, features: torch.Tensor, windows: torch.Tensor) -> None:
        rows, time, _ = features.shape
        both = self._key_value(features).view(rows, time, 2, self._heads, -1)
        windows[self._layer] = both.permute(2, 0, 3, 1, 4)

    def keys(self, windows: AttendedWindows, head: int) -> torch.Tensor:
        return windows.kept[self._layer, 0, 0, head]

    def __call__(self, query: torch.Tensor, windows: AttendedWindows) -> torch.Tensor:
        keys, values = windows.kept[self._layer]
        return _attend(query, keys, values)


class KeptFeatures:
    """Nothing but the encoder's output is kept."""

    def __init__(self, layer: int, heads: int, key: torch.Tensor, value: torch.Tensor, bias: torch.Tensor) -> None:
        """`key` and `value`, (width, width), project the encoder's output; a value has a bias."""
        self._is_first, self._heads, self._scale = layer == 0, heads, (len(key) // heads) ** -0.5
        self._key, self._value, self._bias = key, value, bias

    def keep(self, features: torch.Tensor, windows: torch.Tensor) -> None:
        if self._is_first:
            windows[0, 0, :, 0] = features

    def keys(self, windows: AttendedWindows, head: int) -> torch.Tensor:
        return F.linear(windows.kept[0, 0, 0, 0], self._of_heads(self._key)[head])

    def __call__(self, query: torch.Tensor, windows: AttendedWindows) -> torch.Tensor:
        features = windows.kept[0, 0, :, 0]
        rows, _, time, _ = query.shape
        # A query for each head is as wide as the model: so many tokens at once cost more than keys and values would.
        if time * self._heads > features.shape[-1]:
            keys, values = (
                F.linear(features, weight).view(*features.shape[:2], self._heads, -1).transpose(1, 2)
                for weight in (self._key, self._value)
            )
            return _attend(query, keys, values) + self._bias
        by_head = query.transpose(0, 1).flatten(1, 2).mul(self._scale) @ self._of_heads(self._key)
        wide = by_head.view(self._heads, rows, time, -1).transpose(0, 1).reshape(len(features), -1, features.shape[-1])
        mixed = _mix(wide, windows.packed) if len(features) == 1 else _mix_many(wide, features)
        by_head = mixed.view(rows, self._heads, time, -1).transpose(0, 1).flatten(1, 2)
        values = by_head @ self._of_heads(self._value).mT
        return merge_heads(values.view(self._heads, rows, time, -1).transpose(0, 1)) + self._bias

    def _of_heads(self, weight: torch.Tensor) -> torch.Tensor:
        """(head, width of one, width of the model)"""
        return weight.view(self._heads, -1, weight.shape[-1])


def _mix(query: torch.Tensor, window: PackedWindow) -> torch.Tensor:
    """Attention of (1, query, width), scaled already, to the positions of one window, both keys and values."""
    return window.mix(window.scores(query[0]).softmax(dim=-1))[None]


def _mix_many(query: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """Attention of (row, query, width), scaled already, to (row, position, width), both keys and values.

    torch's kernel reads the features once, in a thread for each row; fewer rows than threads leave some idle.
    """
    if len(features) < torch.get_num_threads():
        return (query @ features.mT).softmax(dim=-1) @ features
    return F.scaled_dot_product_attention(query[:, None], features[:, None], features[:, None], scale=1.0)[:, 0]


def _attend(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Cross-attention, (row, time, width); rows that share a window become one row's queries, so it is read once."""
    if keys.shape[0] == query.shape[0]:
        return merge_heads(F.scaled_dot_product_attention(query, keys, values))
    rows, _, time, _ = query.shape
    flat = query.transpose(0, 1).flatten(1, 2)[None]
    mixed = F.scaled_dot_product_attention(flat, keys, values)[0]
    return merge_heads(mixed.view(len(mixed), rows, time, -1).transpose(0, 1))
