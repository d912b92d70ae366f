"""The text decoder: whisper/model.py, TextDecoder, over packed weights and keys and values that stay where they are.

Rows of a batch are at positions of their own: each has its place in the cache, and a mask says how far it has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional as F
from whisper.model import ResidualAttentionBlock, TextDecoder

from whisper_runtime.engine.model.layers import cross_attention, feedforward, heads, merged, norm, self_attention
from whisper_runtime.engine.model.linear import Packs


@dataclass(frozen=True)
class Cache:
    """Keys and values, allocated once: a row's own tokens, and the window that it listens to."""

    tokens: torch.Tensor
    """(layer, 2, row, head, n_text_ctx, width)"""
    windows: torch.Tensor
    """(layer, 2, row, head, n_audio_ctx, width); one row where all rows listen to the same window."""

    @property
    def rows(self) -> int:
        return self.tokens.shape[2]

    @property
    def positions(self) -> int:
        """n_text_ctx"""
        return self.tokens.shape[4]

    def move(self, source: int, target: int, length: int) -> None:
        """Copies a row whose tokens so far are `length`."""
        self.tokens[:, :, target, :, :length] = self.tokens[:, :, source, :, :length]
        self.windows[:, :, target] = self.windows[:, :, source]

    def reorder(self, sources: Sequence[int], length: int) -> None:
        """Row i continues what row sources[i] has said."""
        if list(sources) != list(range(len(sources))):
            self.tokens[:, :, : len(sources), :, :length] = self.tokens[:, :, list(sources), :, :length]


class Decoder:
    def __init__(self, module: TextDecoder, packs: Packs, device: torch.device, dtype: torch.dtype) -> None:
        self._device, self._dtype = device, dtype
        embedding = module.token_embedding.weight
        self._embedding = embedding.detach().clone() if device.type == "cpu" else embedding.detach().to(device)
        """In the precision of the checkpoint; a clone, so that no step waits for the file's disk."""
        self._logits = packs.few(module.token_embedding)
        self._positions = module.positional_embedding.detach().to(device, dtype)
        self._blocks = [_Block(block, packs, device) for block in module.blocks]
        self._norm = norm(module.ln, device)
        self._context, self._width = module.positional_embedding.shape
        self._heads = next(iter(module.blocks)).attn.n_head

    def cache(self, rows: int, audio_context: int, *, shared: bool = False) -> Cache:
        """Room for `rows`; `shared`: all of them listen to one window."""

        def room(count: int, length: int) -> torch.Tensor:
            shape = (len(self._blocks), 2, count, self._heads, length, self._width // self._heads)
            return torch.zeros(shape, dtype=self._dtype, device=self._device)

        return Cache(room(rows, self._context), room(1 if shared else rows, audio_context))

    def listen(self, features: torch.Tensor, cache: Cache, row: int) -> None:
        """Writes what `row` hears, (1, n_audio_ctx, n_audio_state), into the cache."""
        for layer, block in enumerate(self._blocks):
            key, value = heads(block.cross.key_value(features), 2, self._heads)
            cache.windows[layer, 0, row] = key[0]
            cache.windows[layer, 1, row] = value[0]

    def __call__(
        self, tokens: Sequence[Sequence[int]], starts: Sequence[int], cache: Cache, first: int = 0
    ) -> torch.Tensor:
        """Hidden states (row, time, width) of `tokens`, equally many for each of the cache's rows from `first` on.

        `starts` is how many tokens each row has said before; those are in the cache, and these will be.
        """
        time = len(tokens[0])
        positions = torch.tensor(starts, device=self._device)[:, None] + torch.arange(time, device=self._device)
        step = _Step(positions, max(starts) + time, cache, first)
        return self._hidden(torch.tensor(tokens, device=self._device), step)

    def next(self, tokens: torch.Tensor, positions: torch.Tensor, cache: Cache, length: int) -> torch.Tensor:
        """The logits (row, n_vocab), float32, after one more token (row, 1) of each of the cache's first rows.

        `length`: positions that attention reads, at least up to the furthest row's own. What is computed depends on the
        shapes and `length` alone, so that it can be recorded once for all tensors at these addresses.
        """
        return self.logits(self._hidden(tokens, _Step(positions, length, cache, 0))[:, -1])

    def _hidden(self, tokens: torch.Tensor, step: _Step) -> torch.Tensor:
        x = self._embedded(tokens, step)
        for layer, block in enumerate(self._blocks):
            block(x, step, layer)
        return self._norm(x)

    def _embedded(self, tokens: torch.Tensor, step: _Step) -> torch.Tensor:
        return F.embedding(tokens, self._embedding).to(self._dtype) + self._positions[step.positions]

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """(…, n_vocab), float32."""
        return self._logits(hidden).float()

    def attention(
        self, tokens: Sequence[int], cache: Cache, row: int, at: Sequence[tuple[int, int]]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden states (time, width) of `tokens`, and the scores (head, time, n_audio_ctx) of the heads `at`.

        `at` is pairs of layer and head. Overwrites what the row has said.
        """
        step = _Step(torch.arange(len(tokens), device=self._device)[None], len(tokens), cache, row)
        x = self._embedded(torch.tensor([tokens], device=self._device), step)
        scores: list[torch.Tensor] = []
        for layer, block in enumerate(self._blocks):
            chosen = [head for where, head in at if where == layer]
            block(x, step, layer, chosen, scores)
        return self._norm(x)[0], torch.cat(scores)


class _Step:
    """Where the tokens of one call stand, (row, time), and which keys each of them may see."""

    def __init__(self, positions: torch.Tensor, length: int, cache: Cache, first: int) -> None:
        self.positions = positions
        self._length = length
        self._rows = slice(first, first + len(positions))
        self._index = torch.arange(first, first + len(positions), device=positions.device)[:, None]
        keys = torch.arange(length, device=positions.device)
        self.mask = (keys <= positions[:, :, None])[:, None]
        self._cache = cache

    def said(self, layer: int, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Keys and values of all tokens so far, these included: written down, and handed out without a copy."""
        both = self._cache.tokens[layer]
        both[0][self._index, :, self.positions] = key.transpose(1, 2)
        both[1][self._index, :, self.positions] = value.transpose(1, 2)
        return both[0, self._rows, :, : self._length], both[1, self._rows, :, : self._length]

    def heard(self, layer: int) -> tuple[torch.Tensor, torch.Tensor]:
        both = self._cache.windows[layer]
        rows = slice(0, 1) if both.shape[1] == 1 else self._rows
        return both[0, rows], both[1, rows]


class _Block:
    def __init__(self, block: ResidualAttentionBlock, packs: Packs, device: torch.device) -> None:
        self._heads = block.attn.n_head
        self._attention = self_attention(block, packs.few, device)
        self.cross = cross_attention(block, packs, device)
        self._feedforward = feedforward(block, packs.few, device)

    def __call__(
        self,
        x: torch.Tensor,
        step: _Step,
        layer: int,
        chosen: Sequence[int] = (),
        scores: list[torch.Tensor] | None = None,
    ) -> None:
        """Adds to x, in place."""
        query, key, value = heads(self._attention.qkv(self._attention.norm(x)), 3, self._heads)
        keys, values = step.said(layer, key, value)
        mixed = F.scaled_dot_product_attention(query, keys, values, attn_mask=step.mask)
        x += self._attention.out(merged(mixed))
        (query,) = heads(self.cross.query(self.cross.norm(x)), 1, self._heads)
        keys, values = step.heard(layer)
        if chosen and scores is not None:
            scores.append(_scores(query[0, list(chosen)], keys[0, list(chosen)]))
        x += self.cross.out(_listen(query, keys, values))
        self._feedforward(x)


def _listen(query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Attention to the windows; rows of one window are one row's queries, so that it is read once."""
    if keys.shape[0] == query.shape[0]:
        return merged(F.scaled_dot_product_attention(query, keys, values))
    rows, _, time, _ = query.shape
    flat = query.transpose(0, 1).flatten(1, 2)[None]
    mixed = F.scaled_dot_product_attention(flat, keys, values)[0]
    return merged(mixed.view(len(mixed), rows, time, -1).transpose(0, 1))


def _scores(query: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
    """(head, time, n_audio_ctx) before the softmax, float32 (model.py, qkv_attention without SDPA)."""
    scale = query.shape[-1] ** -0.25
    return ((query * scale) @ (keys * scale).mT).float()
