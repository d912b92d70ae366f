"""A checkpoint's pages are in memory only from their first use until their layer is packed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from tests.support.processor import PRECISIONS
from whisper_runtime.engine.model.checkpoint import read_checkpoint
from whisper_runtime.engine.model.linear import packing
from whisper_runtime.engine.model.mmap_checkpoint import load_mapped, releasing_pages
from whisper_runtime.engine.model.precision import Precision

RELATIVE_ERROR = {"float32": 1e-5, "bfloat16": 0.01}


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_layer_that_is_packed_leaves_no_page_behind_and_multiplies_as_before(
    checkpoint: Path, precision: Precision
) -> None:
    embedding = load_mapped(read_checkpoint(checkpoint)).decoder.token_embedding
    size = embedding.weight.nbytes
    assert embedding.weight.float().sum().isfinite()
    assert _resident(embedding.weight) > size / 2
    linear = releasing_pages(packing(torch.device("cpu"), precision)).few_rows(embedding)
    assert _resident(embedding.weight) < size / 4
    x = torch.randn(3, embedding.embedding_dim)
    wanted = F.linear(x, embedding.weight.float())
    assert (linear(x) - wanted).norm() / wanted.norm() < RELATIVE_ERROR[precision]


def test_a_layer_whose_parts_are_multiplied_leaves_no_page_behind(checkpoint: Path) -> None:
    up = next(iter(load_mapped(read_checkpoint(checkpoint)).decoder.blocks)).mlp[0]
    assert isinstance(up, torch.nn.Linear)
    released = releasing_pages(packing(torch.device("cpu"), "float32"))
    wanted = up.weight.float().clone()
    assert torch.equal(released.widen(up), wanted)
    assert released.widen(up).data_ptr() != up.weight.data_ptr()


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
