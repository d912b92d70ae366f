"""The parts of encoder and decoder compute what torch's own do."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from whisper_runtime.engine.model.layers import gelu, layer_norm, merge_heads, split_heads

CPU = torch.device("cpu")


def test_heads_of_packed_layers_are_split_without_a_copy_and_merged_again() -> None:
    x = torch.randn(2, 5, 3 * 8)
    parts = split_heads(x, 3, 4)
    assert [part.shape for part in parts] == [(2, 4, 5, 2)] * 3
    assert all(part.untyped_storage().data_ptr() == x.untyped_storage().data_ptr() for part in parts)
    assert torch.equal(torch.cat([merge_heads(part) for part in parts], dim=-1), x)


def test_a_norm_is_summed_in_float32_and_rounded_once() -> None:
    """Given values whose sum half precision does not hold."""
    module, x = nn.LayerNorm(1280).half(), 300 * torch.randn(3, 1280).half()
    nn.init.normal_(module.weight)
    found = layer_norm(module, CPU, torch.float16)(x)
    assert found.dtype == torch.float16
    assert torch.allclose(found.float(), module.float()(x.float()), rtol=1e-3, atol=1e-6)


def test_a_gelu_is_torchs_own_and_takes_no_memory() -> None:
    x = torch.randn(3, 8)
    wanted = F.gelu(x)
    assert gelu(x) is x
    assert torch.equal(x, wanted)
