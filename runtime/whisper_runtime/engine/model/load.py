"""Loads a checkpoint in seconds: memory-mapped, and packed layer by layer into the form that is multiplied fastest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from whisper import _ALIGNMENT_HEADS, _MODELS  # pyright: ignore[reportPrivateUsage]
from whisper.model import ModelDimensions

from whisper_runtime.contract.config import ComputeType, Device
from whisper_runtime.engine.interface import Abilities
from whisper_runtime.engine.model.decoder import Decoder
from whisper_runtime.engine.model.encoder import Encoder
from whisper_runtime.engine.model.linear import Precision, activations, multiplies_bfloat16, packs
from whisper_runtime.engine.model.mmap_checkpoint import letting_go, mapped


class CannotLoad(Exception):
    """The checkpoint cannot be loaded on this device; the message says why, and what would help."""


@dataclass(frozen=True)
class Model:
    """Everything that the engine computes with."""

    dims: ModelDimensions
    encoder: Encoder
    decoder: Decoder
    alignment_heads: tuple[tuple[int, int], ...]
    """Pairs of layer and head whose attention follows the speech."""
    device: torch.device
    precision: Precision

    @property
    def is_multilingual(self) -> bool:
        return self.dims.n_vocab >= 51865

    @property
    def num_languages(self) -> int:
        return self.dims.n_vocab - 51765 - int(self.is_multilingual)

    @property
    def abilities(self) -> Abilities:
        """A decoder that was cut down to fewer layers than the encoder has, as turbo's, learnt to transcribe alone."""
        whole = self.dims.n_text_layer >= self.dims.n_audio_layer
        return Abilities(self.num_languages if self.is_multilingual else 1, self.is_multilingual and whole)


def load(path: Path, device: Device, compute_type: ComputeType, name: str | None = None) -> Model:
    """The model in `path`, ready to decode. Raises CannotLoad.

    `name`: of openai-whisper's models, whose alignment heads are known; None: guessed from the file's name.
    """
    target = _device(device)
    precision = _precision(compute_type, target)
    try:
        module = mapped(path)
    except Exception as error:  # torch raises many kinds for a file that is no checkpoint
        raise CannotLoad(f"{path} is no checkpoint of openai-whisper: {_first_line(error)}") from error
    on = torch.device(target)
    pack = letting_go(packs(on, precision))
    dtype = activations(on, precision)
    with torch.inference_mode():
        return Model(
            module.dims,
            Encoder(module.encoder, pack.many, on, dtype),
            Decoder(module.decoder, pack, on, dtype),
            alignment_heads(name or path.stem, module.dims),
            on,
            precision,
        )


def alignment_heads(name: str, dims: ModelDimensions) -> tuple[tuple[int, int], ...]:
    """Those that openai-whisper publishes for the model, else all of the upper half of the layers (model.py)."""
    known = next((known for known in sorted(_MODELS, key=len, reverse=True) if name.startswith(known)), None)
    if known is not None:
        shape = (dims.n_text_layer, dims.n_text_head)
        found = _read_heads(_ALIGNMENT_HEADS[known])
        if found.size == shape[0] * shape[1]:
            return tuple((int(layer), int(head)) for layer, head in zip(*found.reshape(shape).nonzero(), strict=True))
    layers = range(dims.n_text_layer // 2, dims.n_text_layer)
    return tuple((layer, head) for layer in layers for head in range(dims.n_text_head))


def _read_heads(dump: bytes) -> Any:
    import base64
    import gzip

    import numpy as np

    return np.frombuffer(gzip.decompress(base64.b85decode(dump)), dtype=bool)


def _device(wanted: Device) -> Literal["cuda", "cpu"]:
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise CannotLoad("WHISPER_DEVICE is cuda, but this machine offers no GPU: ask for one (spec.gpu), or set cpu")
    return wanted


def _precision(wanted: ComputeType, device: Literal["cuda", "cpu"]) -> Precision:
    if wanted == "auto":
        return "float16" if device == "cuda" else "float32"
    if device == "cpu" and wanted == "float16":
        raise CannotLoad("WHISPER_COMPUTE_TYPE is float16, which no CPU computes fast: set bfloat16 or auto")
    if device == "cpu" and wanted == "bfloat16" and not multiplies_bfloat16():
        raise CannotLoad("WHISPER_COMPUTE_TYPE is bfloat16, which this CPU cannot multiply: set auto, or other nodes")
    return wanted


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
