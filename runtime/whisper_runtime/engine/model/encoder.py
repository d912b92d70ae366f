"""The audio encoder: whisper/model.py, AudioEncoder, over packed weights."""

from __future__ import annotations

import torch
from torch.nn import functional as F
from whisper.model import AudioEncoder, ResidualAttentionBlock

from whisper_runtime.engine.model.layers import feedforward, gelu, layer_norm, merge_heads, self_attention, split_heads
from whisper_runtime.engine.model.linear import Packer


class Encoder:
    def __init__(self, module: AudioEncoder, pack: Packer, device: torch.device, dtype: torch.dtype) -> None:
        """`dtype` is that of the activations."""
        self._dtype = dtype
        self._convolutions = [
            (conv.weight.to(device, dtype), conv.bias.to(device, dtype), conv.stride)
            for conv in (module.conv1, module.conv2)
            if conv.bias is not None
        ]
        self._positions = module.get_buffer("positional_embedding").to(device, dtype)
        self._blocks = [_EncoderBlock(block, pack, device, dtype) for block in module.blocks]
        self._norm = layer_norm(module.ln_post, device, dtype)

    def __call__(self, mel: torch.Tensor) -> torch.Tensor:
        """(batch, n_mels, 3000) to (batch, n_audio_ctx, n_audio_state). Raises torch.OutOfMemoryError."""
        x = mel.to(self._dtype)
        for weight, bias, stride in self._convolutions:
            x = gelu(F.conv1d(x, weight, bias, stride, padding=1))
        # Time before width in memory as well, which openai-whisper's view is not: each sum and norm then streams.
        x = x.permute(0, 2, 1).contiguous().add_(self._positions)
        for block in self._blocks:
            block(x)
        return self._norm(x)


class _EncoderBlock:
    def __init__(self, block: ResidualAttentionBlock, pack: Packer, device: torch.device, dtype: torch.dtype) -> None:
        self._heads = block.attn.n_head
        self._self_attention = self_attention(block, pack, device, dtype)
        self._feedforward = feedforward(block, pack, device, dtype)

    def __call__(self, x: torch.Tensor) -> None:
        """Add to `x`, (batch, time, width), in place."""
        query, key, value = split_heads(self._self_attention.qkv(self._self_attention.norm(x)), 3, self._heads)
        x += self._self_attention.out(merge_heads(F.scaled_dot_product_attention(query, key, value)))
        self._feedforward(x)
