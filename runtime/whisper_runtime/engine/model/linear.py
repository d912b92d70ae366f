"""Linear layers in the form that the machine multiplies fastest; the weights are laid out once, at load.

On a CPU, a product of few rows waits for its weights. oneDNN's own layout takes half of `F.linear`'s time for base at
eight rows, and again half where weights that the checkpoint has in 16 bits stay so and are widened in registers: the
same sums. Many rows gain nothing from either, so there the weights are widened whole, for each product anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, cast

import torch
from torch import nn
from torch.nn import functional as F

Precision = Literal["float32", "bfloat16", "float16"]
Product = Callable[[torch.Tensor], torch.Tensor]
"""(…, in) to (…, out), both of the precision that the activations have."""
_Lay = Callable[[torch.Tensor, "torch.Tensor | None"], Product]
"""A Product from its weight (out, in) and bias, of any precision and possibly mapped from a file."""


class Pack(Protocol):
    def __call__(self, *layers: nn.Linear | nn.Embedding) -> Product:
        """One product for layers of one input, their outputs one after the other; a bias that one lacks is zero."""
        ...


ROWS: Final = 64
"""The number of rows that oneDNN lays weights out for; measured to serve one row and many equally well."""

_mkldnn = cast(Any, torch.ops.mkldnn)


@dataclass(frozen=True)
class Packs:
    many: Pack
    """For products of a window's 1500 rows."""
    few: Pack
    """For products of a token of each row in the batch."""


def activations(device: torch.device, precision: Precision) -> torch.dtype:
    """What runs between the products: on a GPU the precision itself, on a CPU float32."""
    return getattr(torch, precision) if device.type == "cuda" else torch.float32


def packs(device: torch.device, precision: Precision) -> Packs:
    """How layers are packed for this device and precision."""
    if device.type == "cuda":
        dtype = activations(device, precision)
        return _both(lambda weight, bias: _plain(weight.to(device, dtype), _to(bias, device, dtype)))
    if precision == "bfloat16":
        return _both(_in_bfloat16)
    return Packs(_stacking(_widened_whole), _stacking(_widened_on_the_way))


def _both(lay: _Lay) -> Packs:
    return Packs(_stacking(lay), _stacking(lay))


def _stacking(lay: _Lay) -> Pack:
    def pack(*layers: nn.Linear | nn.Embedding) -> Product:
        if len(layers) == 1:
            return lay(layers[0].weight.detach(), _bias(layers[0]))
        biases = [
            layer.weight.new_zeros(len(layer.weight)) if (bias := _bias(layer)) is None else bias for layer in layers
        ]
        return lay(torch.cat([layer.weight for layer in layers]), torch.cat(biases))

    return pack


def _bias(layer: nn.Linear | nn.Embedding) -> torch.Tensor | None:
    return layer.bias if isinstance(layer, nn.Linear) else None


def _widened_whole(weight: torch.Tensor, bias: torch.Tensor | None) -> Product:
    """In float32; a weight of 16 bits is widened each time, which many rows make up for."""
    kept, wide = weight.clone(), _to(bias, weight.device, torch.float32)
    return lambda x: F.linear(x, kept.float(), wide)


def _widened_on_the_way(weight: torch.Tensor, bias: torch.Tensor | None) -> Product:
    """In float32; a weight of float16 is read as it is and widened in registers, where the processor can."""
    kept = weight if weight.dtype == torch.float16 and _widens() else weight.float()
    return _onednn(kept, _to(bias, weight.device, torch.float32))


def _widens() -> bool:
    """Whether oneDNN multiplies float32 by float16: with AVX-512 FP16; untried where float16 comes with AVX2 alone."""
    has_float16 = torch.backends.mkldnn.is_available() and _mkldnn._is_mkldnn_fp16_supported()
    return bool(has_float16 and cast(Any, torch.cpu)._is_avx512_supported())


def multiplies_bfloat16() -> bool:
    """Whether the CPU has what oneDNN needs for it: on x86 AVX-512, or AVX2 with bfloat16's own conversions."""
    return bool(torch.backends.mkldnn.is_available() and _mkldnn._is_mkldnn_bf16_supported())


def _in_bfloat16(weight: torch.Tensor, bias: torch.Tensor | None) -> Product:
    """Between activations of float32."""
    product = _onednn(weight.bfloat16(), _to(bias, weight.device, torch.bfloat16))
    return lambda x: product(x.bfloat16()).float()


def _onednn(weight: torch.Tensor, bias: torch.Tensor | None) -> Product:
    if not torch.backends.mkldnn.is_available():
        return _plain(weight, bias)
    packed = _mkldnn._reorder_linear_weight(weight, ROWS)
    return lambda x: _mkldnn._linear_pointwise(x, packed, bias, "none", [], "")


def _plain(weight: torch.Tensor, bias: torch.Tensor | None) -> Product:
    return lambda x: F.linear(x, weight, bias)


def _to(bias: torch.Tensor | None, device: torch.device, dtype: torch.dtype) -> torch.Tensor | None:
    return None if bias is None else bias.to(device, dtype)
