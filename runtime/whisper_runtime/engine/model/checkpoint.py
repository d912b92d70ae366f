"""A checkpoint of either layout, its numbers in the file's pages: openai-whisper's, or Hugging Face's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch

from whisper_runtime.engine.generation import OPENAI_RULES, GenerationRules
from whisper_runtime.engine.model import hugging_face
from whisper_runtime.engine.model.file_folder import MAGIC, MAGIC_AT, NotLoadable, is_archive, map_files


@dataclass(frozen=True)
class CheckpointContent:
    dims: Mapping[str, Any]
    """Arguments of openai-whisper's ModelDimensions, as the file has them, unchecked."""
    tensors: Mapping[str, Any]
    """By openai-whisper's names, unchecked."""
    origin: Callable[[str], str]
    """File and key of a tensor, by its name, for messages."""
    rules: GenerationRules
    alignment_heads: tuple[tuple[int, int], ...] | None
    """Pairs of layer and head that the files name; None: they name none."""
    is_named: bool
    """Whether the model's name tells more: openai-whisper's format leaves the alignment heads to it."""


def read_checkpoint(path: Path) -> CheckpointContent:
    """The checkpoint in a file, or in a folder of Hugging Face's layout. Raises NotLoadable, and OSError."""
    if path.is_dir() or is_archive(_start(path)):
        return _of_hugging_face(path)
    return _of_openai(path)


def _of_hugging_face(path: Path) -> CheckpointContent:
    files = map_files(path)
    dims = hugging_face.read_dimensions(files)
    tensors, origins = hugging_face.read_weights(files)
    return CheckpointContent(
        dims,
        tensors,
        lambda name: origins.get(name) or hugging_face.their_name(name),
        hugging_face.read_rules(files),
        hugging_face.read_alignment_heads(files, dims),
        is_named=False,
    )


def _of_openai(path: Path) -> CheckpointContent:
    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except OSError:
        raise
    except Exception as error:  # torch raises many kinds for other files
        raise NotLoadable(f"torch cannot load it: {first_line(error)}") from None
    if not isinstance(found, dict) or not {"dims", "model_state_dict"} <= cast(dict[str, Any], found).keys():
        raise NotLoadable("it has no `dims` and `model_state_dict`")
    content = cast(dict[str, Any], found)
    try:
        dims, tensors = dict(content["dims"]), dict(content["model_state_dict"])
    except (TypeError, ValueError) as error:
        raise NotLoadable(f"its dimensions are not those of a Whisper: {first_line(error)}") from None
    return CheckpointContent(dims, tensors, lambda name: name, OPENAI_RULES, None, is_named=True)


def check_tensors(found: CheckpointContent, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raises NotLoadable where a tensor is missing, unknown, of another shape, or not written out."""
    if missing := shapes.keys() - found.tensors.keys():
        raise NotLoadable(f"it lacks {_some(map(found.origin, missing))}")
    if surplus := found.tensors.keys() - shapes.keys():
        raise NotLoadable(f"it has {_some(map(found.origin, surplus))}, which no Whisper of its dimensions has")
    for key, shape in shapes.items():
        tensor = found.tensors[key]
        is_dense = isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided and tensor.is_floating_point()
        if not is_dense or tuple(tensor.shape) != shape or not _is_written_out(tensor):
            has = f", and has {tuple(tensor.shape)}" if is_dense else ""
            raise NotLoadable(f"{found.origin(key)} must be numbers of shape {shape}{has}")


def _is_written_out(tensor: torch.Tensor) -> bool:
    """Whether the file holds every number of the tensor; an expanded one would take its whole shape in memory."""
    return tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()


def _some(names: Iterable[str]) -> str:
    found = sorted(names)
    first = ", ".join(found[:3])
    return f"{first} and {len(found) - 3} more" if len(found) > 3 else first


def first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAGIC_AT + len(MAGIC))
