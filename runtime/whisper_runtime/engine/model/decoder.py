"""The text decoder: whisper/model.py, TextDecoder, over packed weights and a KV cache that is allocated once.

Rows of a batch are at positions of their own: each has its row in the cache, and a mask hides what it has not reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import nn
from torch.nn import functional as F
from whisper.model import MultiHeadAttention, ResidualAttentionBlock, TextDecoder

from whisper_runtime.engine.model.kv_cache import KVCache, zeros
from whisper_runtime.engine.model.layers import (
    feedforward,
    layer_norm,
    merge_heads,
    self_attention,
    split_heads,
)
from whisper_runtime.engine.model.linear import Packing
from whisper_runtime.engine.model.window_attention import (
    AttendedWindows,
    KeptFeatures,
    KeptKeys,
    WindowAttention,
    windows_shape,
)

HeadInput = tuple[torch.Tensor, torch.Tensor]
"""The queries (time, width) and keys (n_audio_ctx, width) of one head, in the dtype of the activations."""

MASK_ALIGNMENT: Final = 16
"""Of the masks that the memory-efficient attention takes as they are (torch, sdp_utils: pad_bias)."""


class Decoder:
    def __init__(self, module: TextDecoder, packing: Packing, device: torch.device, dtype: torch.dtype) -> None:
        """`dtype` is that of the activations and of the KV cache."""
        self._device, self._dtype = device, dtype
        embedding = module.token_embedding.weight
        self._embedding = embedding.detach().clone() if device.type == "cpu" else embedding.detach().to(device)
        """In the precision of the checkpoint; a clone, so that no step waits for the file's disk."""
        self._logits = packing.few_rows(module.token_embedding)
        self._positions = module.positional_embedding.detach().to(device, dtype)
        self._blocks = [
            _DecoderBlock(layer, block, packing, device, dtype) for layer, block in enumerate(module.blocks)
        ]
        self._norm = layer_norm(module.ln, device, dtype)
        self._context, self._width = module.positional_embedding.shape
        self._heads = next(iter(module.blocks)).attn.n_head

    def new_cache(self, rows: int, audio_context: int, *, shared: bool = False) -> KVCache:
        """A cache of zeros for `rows` and windows of `audio_context` positions (n_audio_ctx); `shared`: all rows attend
        to one window. Raises torch.OutOfMemoryError."""

        layers, heads, device = len(self._blocks), self._heads, self._device
        tokens = (layers, 2, rows, heads, self._context, self._width // heads)
        windows = windows_shape(device, layers, 1 if shared else rows, heads, audio_context, self._width)
        return KVCache(
            zeros(tokens, self._dtype, device, in_large_pages=False),
            zeros(windows, self._dtype, device, in_large_pages=True),
        )

    def cache_windows(self, features: torch.Tensor, cache: KVCache, first_row: int) -> None:
        """Keep `features`, (window, n_audio_ctx, n_audio_state), as the windows of as many rows from `first_row` on.
        Raises torch.OutOfMemoryError."""
        windows = cache.write_windows(first_row, len(features))
        for block in self._blocks:
            block.window_attention.keep(features, windows)

    def __call__(
        self, tokens: Sequence[Sequence[int]], starts: Sequence[int], cache: KVCache, first_row: int = 0
    ) -> torch.Tensor:
        """Hidden states (row, time, width) of `tokens`, equally many for each of the cache's rows from `first_row` on.

        `starts` is the position of each row's first token here: so many tokens of the row are in the cache already.
        """
        time = len(tokens[0])
        positions = torch.tensor(starts, device=self._device)[:, None] + torch.arange(time, device=self._device)
        context = _AttentionContext(positions, self._reach(max(starts) + time), cache, first_row, self._dtype)
        return self._hidden(torch.tensor(tokens, device=self._device), context)

    def next_logits(self, tokens: torch.Tensor, positions: torch.Tensor, cache: KVCache, length: int) -> torch.Tensor:
        """The logits (row, n_vocab), float32, after one more token of each of the cache's first rows.

        `tokens` and `positions` are (row, 1), int64. `length`: positions that attention reads, at least up to the
        furthest row's own. What is computed depends on the shapes and `length` alone, so that it can be captured once
        for all tensors at these addresses.
        """
        return self.logits(self._hidden(tokens, _AttentionContext(positions, length, cache, 0, self._dtype))[:, -1])

    def _reach(self, length: int) -> int:
        """Positions that attention reads to see the first `length`: on a GPU so many that its kernels need not pad the
        mask, which they would do in each layer."""
        return (
            length if self._device.type == "cpu" else min(-(-length // MASK_ALIGNMENT) * MASK_ALIGNMENT, self._context)
        )

    def _hidden(self, tokens: torch.Tensor, context: _AttentionContext) -> torch.Tensor:
        x = self._embed(tokens, context)
        for layer, block in enumerate(self._blocks):
            block(x, context, layer)
        return self._norm(x)

    def _embed(self, tokens: torch.Tensor, context: _AttentionContext) -> torch.Tensor:
        return F.embedding(tokens, self._embedding).to(self._dtype) + self._positions[context.positions]

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(…, width) to (…, n_vocab), float32."""
        return self._logits(hidden).float()

    def attend(
        self, tokens: Sequence[int], cache: KVCache, row: int, heads: Sequence[tuple[int, int]], length: int
    ) -> tuple[torch.Tensor, list[HeadInput]]:
        """Hidden states (time, width) of `tokens`, and what each of `heads`, pairs of layer and head, attends with.

        `length`: positions of the window that are not padding. Overwrites the row's tokens in the cache, not its
        window. The inputs are on the CPU, and stay as they are when the row is given up.
        """
        positions = torch.arange(len(tokens), device=self._device)[None]
        context = _AttentionContext(positions, self._reach(len(tokens)), cache, row, self._dtype)
        x = self._embed(torch.tensor([tokens], device=self._device), context)
        inputs: list[HeadInput] = []
        for layer, block in enumerate(self._blocks):
            block(x, context, layer, [head for of_layer, head in heads if of_layer == layer], inputs)
        kept = [(query.to("cpu", copy=True), keys[:length].to("cpu", copy=True)) for query, keys in inputs]
        return self._norm(x)[0], kept


class _AttentionContext:
    """The positions (row, time) of the tokens of one forward pass, and the keys that each of them attends to."""

    def __init__(
        self, positions: torch.Tensor, length: int, cache: KVCache, first_row: int, dtype: torch.dtype
    ) -> None:
        self.positions = positions
        self._length = length
        self._rows = slice(first_row, first_row + len(positions))
        self._index = torch.arange(first_row, first_row + len(positions), device=positions.device)[:, None]
        keys = torch.arange(length, device=positions.device)
        shape = (len(positions), 1, positions.shape[1], length)
        self.mask = torch.zeros(shape, dtype=dtype, device=positions.device)
        """Added to the scores: once for all layers what each of them would make of a mask of booleans."""
        self.mask.masked_fill_((keys > positions[:, :, None])[:, None], -torch.inf)
        self._cache = cache
        self.windows = AttendedWindows(cache, first_row, len(positions))

    def append(self, layer: int, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Write self-attention keys and values, (row, head, time, width), at the positions of these tokens.

        Returns those of all tokens so far, these included, without a copy.
        """
        both = self._cache.self_attention[layer]
        both[0][self._index, :, self.positions] = key.transpose(1, 2)
        both[1][self._index, :, self.positions] = value.transpose(1, 2)
        return both[0, self._rows, :, : self._length], both[1, self._rows, :, : self._length]


class _DecoderBlock:
    def __init__(
        self, layer: int, block: ResidualAttentionBlock, packing: Packing, device: torch.device, dtype: torch.dtype
    ) -> None:
        self._heads = block.attn.n_head
        self._self_attention = self_attention(block, packing.few_rows, device, dtype)
        attn, norm = block.cross_attn, block.cross_attn_ln
        assert isinstance(attn, MultiHeadAttention)
        assert isinstance(norm, nn.LayerNorm)
        self._norm = layer_norm(norm, device, dtype)
        self._query, self._out = packing.few_rows(attn.query), packing.few_rows(attn.out)
        self.window_attention = _window_attention(layer, attn, packing, device)
        self._feedforward = feedforward(block, packing.few_rows, device, dtype)

    def __call__(
        self,
        x: torch.Tensor,
        context: _AttentionContext,
        layer: int,
        kept_heads: Sequence[int] = (),
        inputs: list[HeadInput] | None = None,
    ) -> None:
        """Add to `x`, (row, time, width), in place; append the inputs of `kept_heads`, of one row, to `inputs`."""
        query, key, value = split_heads(self._self_attention.qkv(self._self_attention.norm(x)), 3, self._heads)
        keys, values = context.append(layer, key, value)
        mixed = F.scaled_dot_product_attention(query, keys, values, attn_mask=context.mask)
        x += self._self_attention.out(merge_heads(mixed))
        (query,) = split_heads(self._query(self._norm(x)), 1, self._heads)
        if inputs is not None:
            inputs += [(query[0, head], self.window_attention.keys(context.windows, head)) for head in kept_heads]
        x += self._out(self.window_attention(query, context.windows))
        self._feedforward(x)


def _window_attention(layer: int, attn: MultiHeadAttention, packing: Packing, device: torch.device) -> WindowAttention:
    if device.type == "cpu":
        bias = attn.value.bias.detach().float()
        return KeptFeatures(layer, attn.n_head, packing.widen(attn.key), packing.widen(attn.value), bias)
    return KeptKeys(layer, attn.n_head, packing.many_rows(attn.key, attn.value))
