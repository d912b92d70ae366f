"""The layers that encoder and decoder share, over the weights of openai-whisper's modules (whisper/model.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional as F
from whisper.model import ResidualAttentionBlock

from whisper_runtime.engine.model.linear import PackedLinear, Packer

Norm = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class SelfAttention:
    norm: Norm
    qkv: PackedLinear
    """Query, key and value in one product."""
    out: PackedLinear


@dataclass(frozen=True)
class Feedforward:
    norm: Norm
    up: PackedLinear
    down: PackedLinear

    def __call__(self, x: torch.Tensor) -> None:
        """Add to `x`, (row, time, width), in place."""
        x += self.down(gelu(self.up(self.norm(x))))


def gelu(x: torch.Tensor) -> torch.Tensor:
    """F.gelu of `x`, which it overwrites: four times as wide as the model, an encoder's holds 12 MiB of base."""
    return cast(torch.Tensor, torch.ops.aten.gelu_(x))


def layer_norm(module: nn.LayerNorm, device: torch.device, dtype: torch.dtype) -> Norm:
    """For inputs of `dtype`. Sums in float32 and rounds once, at the end, as torch's kernels do by themselves."""
    weight, bias = module.weight.to(device, dtype), module.bias.to(device, dtype)
    return lambda x: F.layer_norm(x, module.normalized_shape, weight, bias, module.eps)


def self_attention(
    block: ResidualAttentionBlock, pack: Packer, device: torch.device, dtype: torch.dtype
) -> SelfAttention:
    attn, norm = block.attn, layer_norm(block.attn_ln, device, dtype)
    return SelfAttention(norm, pack(attn.query, attn.key, attn.value), pack(attn.out))


def feedforward(block: ResidualAttentionBlock, pack: Packer, device: torch.device, dtype: torch.dtype) -> Feedforward:
    up, _, down = block.mlp
    assert isinstance(up, nn.Linear)
    assert isinstance(down, nn.Linear)
    return Feedforward(layer_norm(block.mlp_ln, device, dtype), pack(up), pack(down))


def split_heads(x: torch.Tensor, parts: int, count: int) -> tuple[torch.Tensor, ...]:
    """(row, time, parts · width) as `parts` tensors of (row, head, time, width / count), without a copy.

    `parts` is the number of layers that were packed into one, `count` the number of heads.
    """
    batch, time, width = x.shape
    return x.view(batch, time, parts, count, width // parts // count).permute(2, 0, 3, 1, 4).unbind(0)


def merge_heads(x: torch.Tensor) -> torch.Tensor:
    """(row, head, time, width) as (row, time, head · width)."""
    return x.transpose(1, 2).flatten(2)
