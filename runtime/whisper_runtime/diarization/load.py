"""Loads the checkpoint that tells voices apart: a torch file of GE2E's layout, or an ONNX file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final, cast

import torch

from whisper_runtime.diarization.diarizer import VoiceDiarizer
from whisper_runtime.diarization.embedding import EmbeddingModel
from whisper_runtime.diarization.ge2e import Ge2eNetwork, Weights, shapes
from whisper_runtime.diarization.interface import MOST_ENCODER_BYTES, ONNX_BEGINS
from whisper_runtime.engine.interface import CannotLoad

REMEDY: Final = (
    "set WHISPER_DIARIZATION_MODEL to a file of resemblyzer's layout, such as the pretrained.pt of its wheel, or to an "
    "ONNX file, such as wespeaker's"
)


def load_diarizer(path: str) -> VoiceDiarizer:
    """From the file at `path`; raises CannotLoad."""
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, 2)
            if size > MOST_ENCODER_BYTES:
                raise CannotLoad(
                    f"the speakers' model {path} has {size} bytes, of at most {MOST_ENCODER_BYTES}: {REMEDY}"
                )
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            is_onnx = path.endswith(".onnx") or file.read(1) == ONNX_BEGINS
    except OSError as error:
        raise CannotLoad(f"the speakers' model {path} cannot be read ({error.strerror}): {REMEDY}") from error
    return VoiceDiarizer(_onnx(path) if is_onnx else Ge2eNetwork(_weights(path)), digest)


def _onnx(path: str) -> EmbeddingModel:
    try:
        from whisper_runtime.diarization.onnx_model import load_onnx
    except ModuleNotFoundError as error:
        raise CannotLoad(
            f"the speakers' model {path} is an ONNX file, and {error.name} is not installed: "
            "pip install 'whisper-operator[runtime,onnx]', or take a torch file"
        ) from error
    return load_onnx(path, Path(path).read_bytes())


def _weights(path: str) -> Weights:
    """The network's tensors; the file's others, of its training, are left. Its pickle is read by torch's own reader,
    which makes tensors and runs nothing."""
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # zip, pickle and torch raise what they like for a file that is none of theirs
        raise CannotLoad(f"the speakers' model {path} is no torch file: {REMEDY}") from error
    state = cast("dict[str, Any]", content).get("model_state") if isinstance(content, dict) else None
    if not isinstance(state, dict):
        raise CannotLoad(f"the speakers' model {path} has no `model_state`: {REMEDY}")
    tensors = cast("dict[str, Any]", state)
    for name, shape in shapes().items():
        tensor = tensors.get(name)
        if not isinstance(tensor, torch.Tensor) or tuple(tensor.shape) != shape:
            found = tuple(tensor.shape) if isinstance(tensor, torch.Tensor) else "nothing"
            raise CannotLoad(f"the speakers' model {path} has {found} for {name} instead of {shape}: {REMEDY}")
    return {name: tensors[name].float() for name in shapes()}
