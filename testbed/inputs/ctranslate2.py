"""Converts Whisper's weights from CTranslate2's file format to openai-whisper's.

Format: https://github.com/OpenNMT/CTranslate2, python/ctranslate2/specs/model_spec.py, version 6; little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

import torch

VERSION: Final = 6
DTYPES: Final = {0: torch.float32, 1: torch.int8, 2: torch.int16, 3: torch.int32, 4: torch.float16}
HEAD_WIDTH: Final = 64
AUDIO_POSITIONS: Final = 1500
TEXT_POSITIONS: Final = 448

Tensors = dict[str, torch.Tensor]


class BinaryReader:
    """Reads the file's primitive types one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def unpack(self, form: str) -> Any:
        (value,) = struct.unpack_from(f"<{form}", self._data, self._at)
        self._at += struct.calcsize(f"<{form}")
        return value

    def string(self) -> str:
        return self.bytes(self.unpack("H"))[:-1].decode()

    def bytes(self, count: int) -> bytes:
        value = self._data[self._at : self._at + count]
        if len(value) != count:
            raise ValueError(f"the file ends after {len(self._data)} bytes, in the middle of a value")
        self._at += count
        return value


def read(data: bytes) -> Tensors:
    """Every variable of a model by its name; raises ValueError for another format."""
    reader = BinaryReader(data)
    version, spec, _revision = reader.unpack("I"), reader.string(), reader.unpack("I")
    if (version, spec) != (VERSION, "WhisperSpec"):
        raise ValueError(f"version {version} of {spec}, not version {VERSION} of WhisperSpec")
    return dict(_variable(reader) for _ in range(reader.unpack("I")))


def _variable(reader: BinaryReader) -> tuple[str, torch.Tensor]:
    name = reader.string()
    shape = [reader.unpack("I") for _ in range(reader.unpack("B"))]
    dtype = DTYPES[reader.unpack("B")]
    data = bytearray(reader.bytes(reader.unpack("I")))
    return name, torch.frombuffer(data, dtype=dtype).reshape(shape)


def convert(tensors: Tensors) -> dict[str, Any]:
    """The checkpoint: `dims` and `model_state_dict`, in the precision of the source."""
    state = dict(_renamed(tensors))
    mels, width = state["encoder.conv1.weight"].shape[1], state["encoder.conv1.weight"].shape[0]
    vocabulary, text_width = state["decoder.token_embedding.weight"].shape
    dims = {
        "n_mels": mels,
        "n_vocab": vocabulary,
        "n_audio_ctx": AUDIO_POSITIONS,
        "n_audio_state": width,
        "n_audio_head": width // HEAD_WIDTH,
        "n_audio_layer": _layers(state, "encoder"),
        "n_text_ctx": TEXT_POSITIONS,
        "n_text_state": text_width,
        "n_text_head": text_width // HEAD_WIDTH,
        "n_text_layer": _layers(state, "decoder"),
    }
    return {"dims": dims, "model_state_dict": {name: state[name].clone() for name in sorted(state)}}


def _layers(state: Tensors, part: str) -> int:
    return len({name.split(".")[2] for name in state if name.startswith(f"{part}.blocks.")})


def _renamed(tensors: Tensors) -> Iterator[tuple[str, torch.Tensor]]:
    for name, tensor in tensors.items():
        part, _, rest = name.partition("/")
        if part in ("encoder", "decoder"):
            yield from _top_level(part, rest, tensor)


def _top_level(part: str, rest: str, tensor: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    head, _, leaf = rest.rpartition("/")
    if rest.startswith("layer_") and not rest.startswith("layer_norm"):
        number, _, inner = rest.removeprefix("layer_").partition("/")
        for path, piece in _in_layer(part, inner, tensor):
            yield f"{part}.blocks.{number}.{path}", piece
    elif head in ("conv1", "conv2"):
        yield f"{part}.{head}.{leaf}", tensor
    elif rest == "position_encodings/encodings":
        yield f"{part}.positional_embedding", tensor
    elif rest == "embeddings/weight":
        yield f"{part}.token_embedding.weight", tensor
    elif head == "layer_norm":
        yield f"{part}.{'ln_post' if part == 'encoder' else 'ln'}.{_norm(leaf)}", tensor


def _in_layer(part: str, path: str, tensor: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    """A layer's tensor under openai-whisper's names; projections that are stacked are taken apart."""
    block, _, rest = path.partition("/")
    module, _, leaf = rest.partition("/")
    if block == "ffn":
        names = {"linear_0": "mlp.0", "linear_1": "mlp.2"}
        yield (f"mlp_ln.{_norm(leaf)}", tensor) if module == "layer_norm" else (f"{names[module]}.{leaf}", tensor)
        return
    attention = "attn" if block == "self_attention" else "cross_attn"
    if module == "layer_norm":
        yield f"{attention}_ln.{_norm(leaf)}", tensor
        return
    stacked = {
        ("self_attention", "linear_0"): ("query", "key", "value"),
        ("self_attention", "linear_1"): ("out",),
        ("attention", "linear_0"): ("query",),
        ("attention", "linear_1"): ("key", "value"),
        ("attention", "linear_2"): ("out",),
    }[block, module]
    for projection, piece in zip(stacked, tensor.chunk(len(stacked)), strict=True):
        if (projection, leaf) != ("key", "bias"):  # zero, and absent in openai-whisper's
            yield f"{attention}.{projection}.{leaf}", piece


def _norm(leaf: str) -> str:
    return {"gamma": "weight", "beta": "bias"}[leaf]
