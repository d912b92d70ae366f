"""The audio encoder: whisper/model.py, AudioEncoder, over packed weights."""

from __future__ import annotations

import torch
from torch.nn import functional as F
from whisper.model import AudioEncoder, ResidualAttentionBlock

from whisper_runtime.engine.model.layers import feedforward, heads, merged, norm, self_attention
from whisper_runtime.engine.model.linear import Pack


class Encoder:
    def __init__(self, module: AudioEncoder, pack: Pack, device: torch.device, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._convolutions = [
            (conv.weight.to(device, dtype), conv.bias.to(device, dtype), conv.stride)
            for conv in (module.conv1, module.conv2)
            if conv.bias is not None
        ]
        self._positions = module.get_buffer("positional_embedding").to(device, dtype)
        self._blocks = [_Block(block, pack, device) for block in module.blocks]
        self._norm = norm(module.ln_post, device)

    def __call__(self, mel: torch.Tensor) -> torch.Tensor:
        """(batch, n_mels, 3000) as (batch, 1500, n_audio_state)."""
        x = mel.to(self._dtype)
        for weight, bias, stride in self._convolutions:
            x = F.gelu(F.conv1d(x, weight, bias, stride, padding=1))
        # Time before width in memory as well, which openai-whisper's view is not: each sum and norm then streams.
        x = x.permute(0, 2, 1).contiguous().add_(self._positions)
        for block in self._blocks:
            block(x)
        return self._norm(x)


class _Block:
    def __init__(self, block: ResidualAttentionBlock, pack: Pack, device: torch.device) -> None:
        self._heads = block.attn.n_head
        self._attention = self_attention(block, pack, device)
        self._feedforward = feedforward(block, pack, device)

    def __call__(self, x: torch.Tensor) -> None:
        """Adds to x, in place."""
        query, key, value = heads(self._attention.qkv(self._attention.norm(x)), 3, self._heads)
        x += self._attention.out(merged(F.scaled_dot_product_attention(query, key, value)))
        self._feedforward(x)
