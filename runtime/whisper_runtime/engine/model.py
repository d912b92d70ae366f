"""Loads a checkpoint in seconds: memory-mapped, into a model that allocates nothing of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import torch
from torch import nn
from whisper.model import AudioEncoder, ModelDimensions, TextDecoder, Whisper

from whisper_runtime.contract import ComputeType, Device

DTYPES: Final = {"float16": torch.float16, "float32": torch.float32}
HALVED: Final = (nn.Linear, nn.Conv1d, nn.Embedding)
"""What runs in half precision; LayerNorm computes in float32 (whisper/model.py, LayerNorm.forward)."""


class CannotLoad(Exception):
    """The checkpoint cannot be loaded on this device; the message says why, and what would help."""


def load(path: Path, device: Device, compute_type: ComputeType) -> Whisper:
    """The model in `path`, ready to decode; its outputs equal those of `whisper.load_model`. Raises CannotLoad."""
    target = _device(device)
    dtype = _dtype(compute_type, target)
    try:
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        dims = ModelDimensions(**checkpoint["dims"])
        model = _Empty(dims)
        model.load_state_dict(checkpoint["model_state_dict"], assign=True)
    except Exception as error:  # torch raises many kinds for a file that is no checkpoint
        raise CannotLoad(f"{path} is no checkpoint of openai-whisper: {_first_line(error)}") from error
    model.float()
    if dtype != torch.float32:
        for module in model.modules():
            if isinstance(module, HALVED):
                module.to(dtype)
    return model.to(target).eval()


class _Empty(Whisper):
    """A Whisper without weights; only the buffers that no checkpoint holds are made, as Whisper.__init__ makes them."""

    def __init__(self, dims: ModelDimensions) -> None:
        nn.Module.__init__(self)
        self.dims = dims
        with torch.device("meta"):
            self.encoder = AudioEncoder(
                dims.n_mels, dims.n_audio_ctx, dims.n_audio_state, dims.n_audio_head, dims.n_audio_layer
            )
            self.decoder = TextDecoder(
                dims.n_vocab, dims.n_text_ctx, dims.n_text_state, dims.n_text_head, dims.n_text_layer
            )
        mask = torch.full((dims.n_text_ctx, dims.n_text_ctx), -torch.inf).triu_(1)
        self.decoder.register_buffer("mask", mask, persistent=False)
        heads = torch.zeros(dims.n_text_layer, dims.n_text_head, dtype=torch.bool)
        heads[dims.n_text_layer // 2 :] = True
        self.register_buffer("alignment_heads", heads.to_sparse(), persistent=False)


def _device(wanted: Device) -> Literal["cuda", "cpu"]:
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise CannotLoad("WHISPER_DEVICE is cuda, but this machine offers no GPU: ask for one (spec.gpu), or set cpu")
    return wanted


def _dtype(wanted: ComputeType, device: Literal["cuda", "cpu"]) -> torch.dtype:
    if wanted == "auto":
        return torch.float16 if device == "cuda" else torch.float32
    if wanted == "bfloat16":
        raise CannotLoad(
            "WHISPER_COMPUTE_TYPE is bfloat16, which openai-whisper's decoder cannot do: set float16 or auto"
        )
    if device == "cpu" and wanted != "float32":
        raise CannotLoad(f"WHISPER_COMPUTE_TYPE is {wanted}, which no CPU computes fast: set float32 or auto")
    return DTYPES[wanted]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
