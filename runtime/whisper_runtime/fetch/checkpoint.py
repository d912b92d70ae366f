"""Checks that openai-whisper can load a file: every tensor present, in its shape, of finite numbers; runs no code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whisper_runtime.contract.reports import NOT_A_CHECKPOINT
from whisper_runtime.fetch.errors import FetchError

if TYPE_CHECKING:  # torch takes seconds to import, and only a whole file is worth them
    from torch import Tensor

MAGIC: Final = b"PK\x03\x04"
"""torch.save writes a zip archive, and only from one are weights mapped into memory."""
CHUNK: Final = 1 << 22
"""Numbers that are checked together, so that a check takes megabytes and not the size of the model."""

DimensionSize = Annotated[int, Field(gt=0, le=1 << 20)]
LayerCount = Annotated[int, Field(gt=0, le=256)]


class Dimensions(BaseModel):
    """whisper.model.ModelDimensions, within bounds: the largest Whisper has 32 layers and a width of 1280."""

    model_config = ConfigDict(extra="forbid", strict=True)

    n_mels: DimensionSize
    n_audio_ctx: DimensionSize
    n_audio_state: DimensionSize
    n_audio_head: DimensionSize
    n_audio_layer: LayerCount
    n_vocab: DimensionSize
    n_text_ctx: DimensionSize
    n_text_state: DimensionSize
    n_text_head: DimensionSize
    n_text_layer: LayerCount


def validate(path: Path, name: str) -> None:
    """Raises FetchError where the file, which came from the source `name`, is not a checkpoint."""
    try:
        _validate_tensors(*_load(path))
    except NotLoadable as problem:
        raise FetchError(NOT_A_CHECKPOINT, f"{name} is not a checkpoint of openai-whisper: {problem}") from None


class NotLoadable(Exception):
    """openai-whisper could not load a file; the message says why."""


def _load(path: Path) -> tuple[Dimensions, dict[str, Any]]:
    import torch

    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # torch raises many kinds for other files
        raise NotLoadable(f"torch cannot load it: {_first_line(error)}") from None
    if not isinstance(found, dict) or not {"dims", "model_state_dict"} <= cast(dict[str, Any], found).keys():
        raise NotLoadable("it has no `dims` and `model_state_dict`")
    checkpoint = cast(dict[str, Any], found)
    try:
        return Dimensions.model_validate(checkpoint["dims"]), dict(checkpoint["model_state_dict"])
    except (ValidationError, TypeError, ValueError) as error:
        raise NotLoadable(f"its dimensions are not those of a Whisper: {_first_line(error)}") from None


def _validate_tensors(dims: Dimensions, tensors: dict[str, Any]) -> None:
    """Raises NotLoadable where a tensor is missing, unknown, of another shape, or not finite."""
    import torch

    expected = _shapes(dims)
    if missing := expected.keys() - tensors.keys():
        raise NotLoadable(f"it lacks {_some(missing)}")
    if surplus := tensors.keys() - expected.keys():
        raise NotLoadable(f"it has {_some(surplus)}, which no Whisper of its dimensions has")
    for key, shape in expected.items():
        tensor = tensors[key]
        is_dense = isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided and tensor.is_floating_point()
        if not is_dense or tuple(tensor.shape) != shape or not _is_written_out(tensor):
            raise NotLoadable(f"{key} must be numbers of shape {shape}")
        if not _is_finite(tensor):
            raise NotLoadable(f"{key} holds numbers that are not finite")


def _shapes(dims: Dimensions) -> dict[str, tuple[int, ...]]:
    """Returns the shape by name of every tensor in a checkpoint of these dimensions."""
    from whisper.model import ModelDimensions

    from whisper_runtime.engine.model.meta_model import MetaWhisper

    try:
        blank = MetaWhisper(ModelDimensions(**dims.model_dump()))
    except Exception as error:
        raise NotLoadable(f"a model of its dimensions cannot be built: {_first_line(error)}") from None
    return {key: tuple(tensor.shape) for key, tensor in blank.state_dict().items()}


def _is_written_out(tensor: Tensor) -> bool:
    """Whether the file holds every number of the tensor; an expanded one would take its whole shape in memory."""
    return tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()


def _is_finite(tensor: Tensor) -> bool:
    import torch

    flat = tensor.flatten()
    return all(bool(torch.isfinite(flat[at : at + CHUNK]).all()) for at in range(0, flat.numel(), CHUNK))


def _some(keys: set[str]) -> str:
    first = ", ".join(sorted(keys)[:3])
    return f"{first} and {len(keys) - 3} more" if len(keys) > 3 else first


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
