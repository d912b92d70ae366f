"""A checkpoint's pages come when they are read, and go when they are laid out for the machine."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from whisper_runtime.engine.model.linear import Precision, packs
from whisper_runtime.engine.model.mmap_checkpoint import letting_go, mapped


@pytest.mark.parametrize(("precision", "error"), [("float32", 1e-5), ("bfloat16", 0.01)])
def test_a_layer_that_is_packed_leaves_no_page_behind_and_multiplies_as_before(
    checkpoint: Path, precision: Precision, error: float
) -> None:
    embedding = mapped(checkpoint).decoder.token_embedding
    size = embedding.weight.nbytes
    assert embedding.weight.float().sum().isfinite()
    assert _resident(embedding.weight) > size / 2
    product = letting_go(packs(torch.device("cpu"), precision)).few(embedding)
    assert _resident(embedding.weight) < size / 4
    x = torch.randn(3, embedding.embedding_dim)
    wanted = F.linear(x, embedding.weight.float())
    assert (product(x) - wanted).norm() / wanted.norm() < error


def test_weights_of_16_bits_are_multiplied_as_exactly_as_ones_of_32(checkpoint: Path) -> None:
    """Whether few rows wait for them, or many."""
    layer = next(iter(mapped(checkpoint).decoder.blocks)).mlp[0]
    assert isinstance(layer, torch.nn.Linear)
    assert layer.weight.dtype == torch.float16
    both, x = packs(torch.device("cpu"), "float32"), torch.randn(5, layer.in_features)
    wanted = F.linear(x.double(), layer.weight.double(), layer.bias.double())
    for pack in (both.few, both.many):
        assert torch.allclose(pack(layer)(x).double(), wanted, rtol=1e-5, atol=1e-6)


def _resident(weight: torch.Tensor) -> int:
    """Bytes in memory of the mapping that the weight lies in."""
    is_its = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *rest = line.split()
        if not first.endswith(":"):
            start, end = (int(bound, 16) for bound in first.split("-"))
            is_its = start <= weight.data_ptr() < end
        elif is_its and first == "Rss:":
            return int(rest[0]) * 1024
    raise AssertionError("no mapping holds the weight")
