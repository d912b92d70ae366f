"""A checkpoint as it lies in its file: what is read of it, and which numbers are refused before they are used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from whisper_runtime.engine.generation import OPENAI_RULES
from whisper_runtime.engine.model.checkpoint import CheckpointContent, check_tensors, read_checkpoint
from whisper_runtime.engine.model.file_folder import NotLoadable

SHAPES = {"a": (2, 3), "b": (4,)}
NamedTensors = dict[str, torch.Tensor]


def content(tensors: NamedTensors) -> CheckpointContent:
    return CheckpointContent({}, tensors, lambda name: f"model.safetensors: {name}", OPENAI_RULES, None, is_named=False)


def whole() -> NamedTensors:
    return {"a": torch.zeros(2, 3), "b": torch.zeros(4)}


def test_numbers_of_the_wanted_shapes_are_taken_in_any_precision() -> None:
    check_tensors(content(whole()), SHAPES)
    check_tensors(content({name: tensor.bfloat16() for name, tensor in whole().items()}), SHAPES)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda: {"a": torch.zeros(2, 3)}, r"it lacks model.safetensors: b"),
        (lambda: whole() | {"c": torch.zeros(1)}, r"it has model.safetensors: c, which no Whisper"),
        (
            lambda: whole() | {"b": torch.zeros(5)},
            r"model.safetensors: b must be numbers of shape \(4,\), and has \(5,\)",
        ),
        (lambda: whole() | {"b": torch.zeros(4, dtype=torch.int8)}, r"b must be numbers of shape \(4,\)"),
        (lambda: whole() | {"b": torch.zeros(1).expand(4)}, r"b must be numbers of shape \(4,\)"),
    ],
)
def test_what_is_no_such_number_is_named(change: Callable[[], NamedTensors], says: str) -> None:
    with pytest.raises(NotLoadable, match=says):
        check_tensors(content(change()), SHAPES)


def test_openai_whispers_format_leaves_heads_and_rules_to_its_name(tmp_path: Path) -> None:
    path = tmp_path / "mine.pt"
    torch.save({"dims": {"n_mels": 80}, "model_state_dict": {"a": torch.zeros(1)}}, path)
    found = read_checkpoint(path)
    assert (found.dims, [*found.tensors], found.rules) == ({"n_mels": 80}, ["a"], OPENAI_RULES)
    assert (found.is_named, found.alignment_heads, found.origin("a")) == (True, None, "a")


def test_a_file_that_is_neither_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "other.pt")
    with pytest.raises(NotLoadable, match="it has no `dims` and `model_state_dict`"):
        read_checkpoint(tmp_path / "other.pt")
