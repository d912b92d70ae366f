"""The cross-attention heads whose attention follows the speech, by which tokens are aligned (whisper/model.py)."""

from __future__ import annotations

import base64
import gzip
from typing import Any, Final

import numpy as np
from whisper import _ALIGNMENT_HEADS, _MODELS  # pyright: ignore[reportPrivateUsage]
from whisper.model import ModelDimensions

_OF_V3: Final = ("large", "large-v3", "large-v3-turbo", "turbo")
"""Models with more mel bands than the others, and one language more."""


def alignment_heads(name: str, dims: ModelDimensions) -> tuple[tuple[int, int], ...]:
    """Pairs of layer and head: those that openai-whisper publishes for the model, else the upper half of the layers.

    `name` may begin with the name of one of openai-whisper's models, as a checkpoint's file does; it counts where that
    model has these dimensions: a fine-tuned large-v2 may be called large-medical, and `large` is large-v3.
    """
    known = next((known for known in sorted(_MODELS, key=len, reverse=True) if name.startswith(known)), None)
    if known is not None and (dims.n_mels, dims.n_vocab) == _mels_and_vocabulary(known):
        shape = (dims.n_text_layer, dims.n_text_head)
        found = _read_dump(_ALIGNMENT_HEADS[known])
        if found.size == shape[0] * shape[1]:
            return tuple((int(layer), int(head)) for layer, head in zip(*found.reshape(shape).nonzero(), strict=True))
    layers = range(dims.n_text_layer // 2, dims.n_text_layer)
    return tuple((layer, head) for layer in layers for head in range(dims.n_text_head))


def _mels_and_vocabulary(known: str) -> tuple[int, int]:
    """n_mels and n_vocab of one of openai-whisper's models."""
    return (128, 51866) if known in _OF_V3 else (80, 51864 if known.endswith(".en") else 51865)


def _read_dump(dump: bytes) -> Any:
    """A boolean array with one element for each head (model.py, set_alignment_heads)."""
    return np.frombuffer(gzip.decompress(base64.b85decode(dump)), dtype=bool)
