"""A packed layer multiplies as torch.nn.Linear does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.support.processor import PRECISIONS
from whisper_runtime.engine.model.checkpoint import read_checkpoint
from whisper_runtime.engine.model.linear import packing
from whisper_runtime.engine.model.mmap_checkpoint import load_mapped
from whisper_runtime.engine.model.precision import Precision

RELATIVE_ERROR = {"float32": 1e-5, "bfloat16": 0.01}


def test_weights_of_16_bits_are_multiplied_as_exactly_as_ones_of_32(checkpoint: Path) -> None:
    """In products of few rows, and of many."""
    layer = next(iter(load_mapped(read_checkpoint(checkpoint)).decoder.blocks)).mlp[0]
    assert isinstance(layer, torch.nn.Linear)
    assert layer.weight.dtype == torch.float16
    both, x = packing(torch.device("cpu"), "float32"), torch.randn(5, layer.in_features)
    wanted = F.linear(x.double(), layer.weight.double(), layer.bias.double())
    for pack in (both.few_rows, both.many_rows):
        assert torch.allclose(pack(layer)(x).double(), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_layers_of_one_input_are_packed_into_one(precision: Precision) -> None:
    """Given three layers, of which one has no bias."""
    torch.manual_seed(0)
    layers, x = [nn.Linear(16, 16), nn.Linear(16, 16, bias=False), nn.Linear(16, 16)], torch.randn(5, 16)
    wanted = torch.cat([layer(x) for layer in layers], dim=-1)
    both = packing(torch.device("cpu"), precision)
    with torch.no_grad():
        for pack in (both.few_rows, both.many_rows):
            assert (pack(*layers)(x) - wanted).norm() / wanted.norm() < RELATIVE_ERROR[precision]
