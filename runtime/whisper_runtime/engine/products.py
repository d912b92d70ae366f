"""Linear layers in the form that the machine multiplies fastest; the weights are laid out once, at load.

On a CPU, oneDNN's own layout: for base at eight rows a product takes about half of `F.linear`'s time, the logits
two fifths. A product of few rows waits for its weights, so weights that the checkpoint has in 16 bits stay so there
and are widened as they are multiplied: the same sums in about half of the time. A product of many rows is the slower
for it, by a sixth.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import torch
from torch import nn
from torch.nn import functional as F

Precision = Literal["float32", "bfloat16", "float16", "int8"]
Product = Callable[[torch.Tensor], torch.Tensor]
"""(…, in) to (…, out), both of the precision that the activations have."""
Pack = Callable[[torch.Tensor, "torch.Tensor | None"], Product]
"""A Product from its weight (out, in) and bias, of any precision and possibly mapped from a file."""

ROWS: Final = 64
"""The number of rows that oneDNN lays weights out for; measured to serve one row and 1500 equally well."""

_mkldnn = cast(Any, torch.ops.mkldnn)
_quantized = cast(Any, torch.ops.quantized)


@dataclass(frozen=True)
class Packs:
    many: Pack
    """For products of a window's 1500 rows."""
    few: Pack
    """For products of a token of each row in the batch."""


def packs(device: torch.device, precision: Precision) -> Packs:
    """How layers are packed for this device and precision."""
    if device.type == "cuda":
        dtype = {"float16": torch.float16, "bfloat16": torch.bfloat16}.get(precision, torch.float32)
        return _both(lambda weight, bias: _plain(weight.to(device, dtype), _to(bias, device, dtype)))
    if precision == "int8":
        return _both(_int8)
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    pack = _onednn if torch.backends.mkldnn.is_available() else _plain
    many = _in(dtype, pack)
    widens = pack is _onednn and dtype == torch.float32 and _mkldnn._is_mkldnn_fp16_supported()
    return Packs(many, _widening(many) if widens else many)


def _both(pack: Pack) -> Packs:
    return Packs(pack, pack)


def _in(dtype: torch.dtype, pack: Pack) -> Pack:
    """Products in `dtype` between activations of float32, on the CPU."""

    def packed(weight: torch.Tensor, bias: torch.Tensor | None) -> Product:
        product = pack(weight.to(dtype), _to(bias, torch.device("cpu"), dtype))
        return product if dtype == torch.float32 else lambda x: product(x.to(dtype)).float()

    return packed


def _widening(otherwise: Pack) -> Pack:
    """Keeps weights of 16 bits as they are, between activations of float32; those of 32 are packed `otherwise`."""

    def pack(weight: torch.Tensor, bias: torch.Tensor | None) -> Product:
        if weight.dtype != torch.float16:
            return otherwise(weight, bias)
        return _onednn(weight, None if bias is None else bias.float())

    return pack


def stacked(*layers: nn.Linear) -> tuple[torch.Tensor, torch.Tensor]:
    """One weight and bias for layers of one input; a bias that a layer lacks is zero."""
    biases = [layer.weight.new_zeros(layer.out_features) if layer.bias is None else layer.bias for layer in layers]  # pyright: ignore[reportUnnecessaryComparison]
    return torch.cat([layer.weight for layer in layers]), torch.cat(biases)


def _plain(weight: torch.Tensor, bias: torch.Tensor | None) -> Product:
    return lambda x: F.linear(x, weight, bias)


def _onednn(weight: torch.Tensor, bias: torch.Tensor | None) -> Product:
    packed = _mkldnn._reorder_linear_weight(weight, ROWS)
    return lambda x: _mkldnn._linear_pointwise(x, packed, bias, "none", [], "")


def _int8(weight: torch.Tensor, bias: torch.Tensor | None) -> Product:
    """Weights in 8 bits with a scale for each output, activations in 8 bits with a scale found as they come."""
    wide = weight.float()
    scales = wide.abs().amax(dim=1).clamp(min=1e-8) / 127
    zeros = torch.zeros(len(wide), dtype=torch.long)
    with warnings.catch_warnings():  # torch has announced a successor of these tensors, and no product for it
        warnings.simplefilter("ignore", UserWarning)
        eight = torch.quantize_per_channel(wide, scales.double(), zeros, axis=0, dtype=torch.qint8)
    packed = _quantized.linear_prepack(eight, _to(bias, wide.device, torch.float32))
    # Without VNNI two products of 8 bits may overflow 16; a range of 7 bits cannot.
    reduced = not cast(Any, torch.cpu)._is_vnni_supported()
    return lambda x: _quantized.linear_dynamic(x, packed, reduced)


def _to(bias: torch.Tensor | None, device: torch.device, dtype: torch.dtype) -> torch.Tensor | None:
    return None if bias is None else bias.to(device, dtype)
