"""Linear layers with packed weights: the layout that the machine multiplies fastest, made once, at load.

On a CPU, a product of few rows waits for its weights. oneDNN's own layout takes half of `F.linear`'s time for base at
eight rows, and again half where weights that the checkpoint has in 16 bits stay so and are widened in registers: the
same sums. Many rows gain nothing from either, so there the weights are widened whole, for each product anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

import torch
from torch import nn
from torch.nn import functional as F

from whisper_runtime.engine.model.precision import Precision, activation_dtype, cpu_widens_float16

PackedLinear = Callable[[torch.Tensor], torch.Tensor]
"""(…, in) to (…, out), both in the dtype of the activations."""
_PackWeight = Callable[[torch.Tensor, "torch.Tensor | None"], PackedLinear]
"""Packs a weight (out, in) and a bias, of any precision and possibly mapped from a file."""


class Packer(Protocol):
    def __call__(self, *layers: nn.Linear | nn.Embedding) -> PackedLinear:
        """Pack layers that have the same input into one, whose output is theirs concatenated; a missing bias is zero.

        An embedding is packed as the linear layer that shares its weight.
        """
        ...


ROWS: Final = 64
"""The number of rows that oneDNN's layout is made for; measured to serve one row and many equally well."""

_mkldnn = cast(Any, torch.ops.mkldnn)


@dataclass(frozen=True)
class Packing:
    many_rows: Packer
    """For products of a window's 1500 rows."""
    few_rows: Packer
    """For products of a token of each row in the batch."""
    widen: Callable[[nn.Linear], torch.Tensor]
    """A copy of a layer's weight, (out, in), in float32: for products with parts of it."""


def packing(device: torch.device, precision: Precision) -> Packing:
    """How layers are packed for this device and precision."""
    if device.type == "cuda":
        dtype = activation_dtype(device, precision)
        return _same(lambda weight, bias: _plain(weight.to(device, dtype), _to(bias, device, dtype)))
    if precision == "bfloat16":
        return _same(_in_bfloat16)
    return Packing(_concatenating(_widened_whole), _concatenating(_widened_in_registers), _widened)


def pack_matrix(matrix: torch.Tensor) -> PackedLinear:
    """Products of few rows with the transpose of `matrix`, (out, in), float32, on a CPU."""
    return _onednn(matrix, None)


def _same(pack_weight: _PackWeight) -> Packing:
    return Packing(_concatenating(pack_weight), _concatenating(pack_weight), _widened)


def _concatenating(pack_weight: _PackWeight) -> Packer:
    def pack(*layers: nn.Linear | nn.Embedding) -> PackedLinear:
        if len(layers) == 1:
            return pack_weight(layers[0].weight.detach(), _bias(layers[0]))
        biases = [
            layer.weight.new_zeros(len(layer.weight)) if (bias := _bias(layer)) is None else bias for layer in layers
        ]
        return pack_weight(torch.cat([layer.weight for layer in layers]), torch.cat(biases))

    return pack


def _widened(layer: nn.Linear) -> torch.Tensor:
    return layer.weight.detach().to(torch.float32, copy=True)


def _bias(layer: nn.Linear | nn.Embedding) -> torch.Tensor | None:
    return layer.bias if isinstance(layer, nn.Linear) else None


def _widened_whole(weight: torch.Tensor, bias: torch.Tensor | None) -> PackedLinear:
    """In float32; a weight of 16 bits is widened for each product, at a cost that many rows outweigh."""
    kept, wide = weight.clone(), _to(bias, weight.device, torch.float32)
    return lambda x: F.linear(x, kept.float(), wide)


def _widened_in_registers(weight: torch.Tensor, bias: torch.Tensor | None) -> PackedLinear:
    """In float32; a weight of float16 is read as it is and widened in registers, where the processor can."""
    kept = weight if weight.dtype == torch.float16 and cpu_widens_float16() else weight.float()
    return _onednn(kept, _to(bias, weight.device, torch.float32))


def _in_bfloat16(weight: torch.Tensor, bias: torch.Tensor | None) -> PackedLinear:
    """Between activations of float32."""
    linear = _onednn(weight.bfloat16(), _to(bias, weight.device, torch.bfloat16))
    return lambda x: linear(x.bfloat16()).float()


def _onednn(weight: torch.Tensor, bias: torch.Tensor | None) -> PackedLinear:
    if not torch.backends.mkldnn.is_available():
        return _plain(weight, bias)
    packed = _mkldnn._reorder_linear_weight(weight, ROWS)
    return lambda x: _mkldnn._linear_pointwise(x, packed, bias, "none", [], "")


def _plain(weight: torch.Tensor, bias: torch.Tensor | None) -> PackedLinear:
    return lambda x: F.linear(x, weight, bias)


def _to(bias: torch.Tensor | None, device: torch.device, dtype: torch.dtype) -> torch.Tensor | None:
    return None if bias is None else bias.to(device, dtype)
