"""A Whisper module without weights: a checkpoint is compared with its shapes, and its weights are assigned to it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from whisper.model import AudioEncoder, ModelDimensions, TextDecoder, Whisper


class MetaWhisper(Whisper):
    """openai-whisper's module (whisper/model.py, `Whisper`) with its parameters on torch's meta device."""

    def __init__(self, dims: ModelDimensions) -> None:
        nn.Module.__init__(self)
        self.dims = dims
        with torch.device("meta"), _WithoutCompiler():
            self.encoder = AudioEncoder(
                dims.n_mels, dims.n_audio_ctx, dims.n_audio_state, dims.n_audio_head, dims.n_audio_layer
            )
            self.decoder = TextDecoder(
                dims.n_vocab, dims.n_text_ctx, dims.n_text_state, dims.n_text_head, dims.n_text_layer
            )


def shapes_of(module: Whisper) -> dict[str, tuple[int, ...]]:
    """The shape by name of every tensor in a checkpoint of the module's dimensions."""
    return {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}


class _WithoutCompiler(TorchFunctionMode):
    """Leaves out what makes torch import its compiler: seconds of a start, 170 MiB for good, a folder in scratch.

    In-place initialisation and arithmetic on meta tensors do: nothing is initialised, and positions are counted on the
    CPU.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        name: str = getattr(func, "__name__", "")
        if name.endswith("_") and not name.endswith("__"):  # torch's mark of what changes its tensor in place
            return given["tensor"] if "tensor" in given else args[0]
        if func is torch.arange:
            given = {**given, "device": "cpu"}
        return func(*args, **given)
