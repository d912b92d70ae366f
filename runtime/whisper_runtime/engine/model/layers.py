"""The parts that encoder and decoder share, over the weights of openai-whisper's modules (whisper/model.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from whisper.model import MultiHeadAttention, ResidualAttentionBlock

from whisper_runtime.engine.model.linear import Pack, Packs, Product

Norm = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class SelfAttention:
    norm: Norm
    qkv: Product
    """Query, key and value in one product."""
    out: Product


@dataclass(frozen=True)
class CrossAttention:
    norm: Norm
    query: Product
    key_value: Product
    """Of the encoder's output, once a window."""
    out: Product


@dataclass(frozen=True)
class Feedforward:
    norm: Norm
    grow: Product
    shrink: Product

    def __call__(self, x: torch.Tensor) -> None:
        """Adds to x, in place."""
        x += self.shrink(F.gelu(self.grow(self.norm(x))))


def norm(module: nn.LayerNorm, device: torch.device) -> Norm:
    """Layer normalisation, computed in float32 whatever comes in."""
    weight, bias = module.weight.to(device).float(), module.bias.to(device).float()
    return lambda x: F.layer_norm(x.float(), module.normalized_shape, weight, bias, module.eps).to(x.dtype)


def self_attention(block: ResidualAttentionBlock, pack: Pack, device: torch.device) -> SelfAttention:
    attn = block.attn
    return SelfAttention(norm(block.attn_ln, device), pack(attn.query, attn.key, attn.value), pack(attn.out))


def cross_attention(block: ResidualAttentionBlock, packs: Packs, device: torch.device) -> CrossAttention:
    attn, before = block.cross_attn, block.cross_attn_ln
    assert isinstance(attn, MultiHeadAttention)
    assert isinstance(before, nn.LayerNorm)
    return CrossAttention(
        norm(before, device),
        packs.few(attn.query),
        packs.many(attn.key, attn.value),
        packs.few(attn.out),
    )


def feedforward(block: ResidualAttentionBlock, pack: Pack, device: torch.device) -> Feedforward:
    grow, _, shrink = block.mlp
    assert isinstance(grow, nn.Linear)
    assert isinstance(shrink, nn.Linear)
    return Feedforward(norm(block.mlp_ln, device), pack(grow), pack(shrink))


def heads(x: torch.Tensor, parts: int, count: int) -> tuple[torch.Tensor, ...]:
    """(batch, time, parts · width) as `parts` tensors of (batch, head, time, width / heads), without a copy."""
    batch, time, width = x.shape
    return x.view(batch, time, parts, count, width // parts // count).permute(2, 0, 3, 1, 4).unbind(0)


def merged(x: torch.Tensor) -> torch.Tensor:
    """(batch, head, time, width) as (batch, time, head · width)."""
    return x.transpose(1, 2).flatten(2)
