"""Checks that a file is a Whisper that loads: every tensor present, in its shape, of finite numbers; runs no code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whisper_runtime.contract.reports import NOT_A_CHECKPOINT
from whisper_runtime.engine.model.file_folder import MAGIC, MAGIC_AT, NotLoadable, is_archive
from whisper_runtime.fetch.errors import FetchError

if TYPE_CHECKING:  # torch takes seconds to import, and only a whole file is worth them
    from torch import Tensor

    from whisper_runtime.engine.model.checkpoint import CheckpointContent

ZIP: Final = b"PK\x03\x04"
START: Final = MAGIC_AT + len(MAGIC)
"""Bytes that tell whether a file may be a checkpoint."""
LARGEST: Final = 16 * 1024**3
"""Bytes; the largest checkpoint that OpenAI publishes has 3 GB."""
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


def may_begin(start: bytes) -> bool:
    """Whether a checkpoint may begin so: torch.save writes a zip archive, and only from one are weights mapped."""
    return start.startswith(ZIP) or is_archive(start)


def validate(path: Path, name: str) -> None:
    """Raises FetchError where the file, which came from the source `name`, is not a checkpoint; and OSError."""
    from whisper_runtime.engine.model.checkpoint import first_line, read_checkpoint

    try:
        found = read_checkpoint(path)
        try:
            dims = Dimensions.model_validate(found.dims)
        except ValidationError as error:
            raise NotLoadable(f"its dimensions are not those of a Whisper: {first_line(error)}") from None
        _validate_tensors(dims, found)
    except NotLoadable as problem:
        raise FetchError(NOT_A_CHECKPOINT, f"{name} is not a checkpoint of a Whisper: {problem}") from None


def _validate_tensors(dims: Dimensions, found: CheckpointContent) -> None:
    """Raises NotLoadable where a tensor is missing, unknown, of another shape, or not finite."""
    from whisper_runtime.engine.model.checkpoint import check_tensors

    check_tensors(found, _shapes(dims))
    for key, tensor in found.tensors.items():
        if not _is_finite(tensor):
            raise NotLoadable(f"{found.origin(key)} holds numbers that are not finite")


def _shapes(dims: Dimensions) -> dict[str, tuple[int, ...]]:
    """Returns the shape by name of every tensor in a checkpoint of these dimensions."""
    from whisper.model import ModelDimensions

    from whisper_runtime.engine.model.checkpoint import first_line
    from whisper_runtime.engine.model.meta_model import MetaWhisper, shapes_of

    try:
        blank = MetaWhisper(ModelDimensions(**dims.model_dump()))
    except Exception as error:
        raise NotLoadable(f"a model of its dimensions cannot be built: {first_line(error)}") from None
    return shapes_of(blank)


def _is_finite(tensor: Tensor) -> bool:
    import torch

    flat = tensor.flatten()
    return all(bool(torch.isfinite(flat[at : at + CHUNK]).all()) for at in range(0, flat.numel(), CHUNK))
