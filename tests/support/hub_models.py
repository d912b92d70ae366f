"""A Whisper of some megabytes in Hugging Face's layout, written byte by byte, so that a test can damage it."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import torch

CONFIG: Final[dict[str, Any]] = {
    "model_type": "whisper",
    "num_mel_bins": 80,
    "max_source_positions": 1500,
    "d_model": 8,
    "encoder_attention_heads": 2,
    "encoder_layers": 1,
    "vocab_size": 51865,
    "max_target_positions": 448,
    "decoder_attention_heads": 2,
    "decoder_layers": 1,
    "activation_function": "gelu",
}
GENERATION: Final[dict[str, Any]] = {
    "alignment_heads": [[0, 1]],
    "suppress_tokens": [7, 1, 2],
    "begin_suppress_tokens": [220, 50257],
    "max_initial_timestamp_index": 50,
}
SHARDS: Final = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
DTYPES: Final = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int8: "I8"}


def shapes(width: int = 8, mels: int = 80, vocabulary: int = 51865) -> dict[str, tuple[int, ...]]:
    """Of each tensor, by transformers' key."""
    own, crossed = ("self_attn", "self_attn_layer_norm"), ("encoder_attn", "encoder_attn_layer_norm")
    found: dict[str, tuple[int, ...]] = {
        "encoder.conv1.weight": (width, mels, 3),
        "encoder.conv1.bias": (width,),
        "encoder.conv2.weight": (width, width, 3),
        "encoder.conv2.bias": (width,),
        "encoder.embed_positions.weight": (1500, width),
        "decoder.embed_tokens.weight": (vocabulary, width),
        "decoder.embed_positions.weight": (448, width),
    }
    for part, blocks in (("encoder", [own]), ("decoder", [own, crossed])):
        layer = f"{part}.layers.0"
        for name, norm in blocks:
            found |= {f"{layer}.{name}.{one}_proj.weight": (width, width) for one in ("q", "k", "v", "out")}
            found |= {f"{layer}.{name}.{one}_proj.bias": (width,) for one in ("q", "v", "out")}
            found |= {f"{layer}.{norm}.{one}": (width,) for one in ("weight", "bias")}
        found |= {f"{layer}.fc1.weight": (4 * width, width), f"{layer}.fc1.bias": (4 * width,)}
        found |= {f"{layer}.fc2.weight": (width, 4 * width), f"{layer}.fc2.bias": (width,)}
        found |= {f"{layer}.final_layer_norm.{one}": (width,) for one in ("weight", "bias")}
        found |= {f"{part}.layer_norm.{one}": (width,) for one in ("weight", "bias")}
    return {f"model.{name}": shape for name, shape in found.items()}


def tensors(dtype: torch.dtype = torch.float16) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {name: torch.randn(shape, generator=generator).to(dtype) for name, shape in shapes().items()}


def safetensors(content: dict[str, torch.Tensor]) -> bytes:
    """A file of safetensors."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data, at = [], 0
    for name, tensor in content.items():
        raw = tensor.reshape(-1).view(torch.uint8).numpy().tobytes()
        assert len(raw) == math.prod(tensor.shape) * tensor.itemsize
        header[name] = {"dtype": DTYPES[tensor.dtype], "shape": [*tensor.shape], "data_offsets": [at, at + len(raw)]}
        data.append(raw)
        at += len(raw)
    return with_header(header, b"".join(data))


def with_header(header: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def one_file(**config: Any) -> dict[str, bytes]:
    """The files of a model by name; None removes a field of config.json."""
    fields = {name: value for name, value in {**CONFIG, **config}.items() if value is not None}
    return {
        "config.json": json.dumps(fields).encode(),
        "generation_config.json": json.dumps(GENERATION).encode(),
        "model.safetensors": safetensors(tensors()),
    }


def sharded() -> dict[str, bytes]:
    files, content = one_file(), tensors()
    del files["model.safetensors"]
    names = [*content]
    parts = dict(zip(SHARDS, (names[:20], names[20:]), strict=True))
    index = {"metadata": {}, "weight_map": {key: shard for shard, keys in parts.items() for key in keys}}
    files["model.safetensors.index.json"] = json.dumps(index).encode()
    return files | {shard: safetensors({key: content[key] for key in keys}) for shard, keys in parts.items()}
