"""The precision of weights and activations."""

from __future__ import annotations

from typing import Any, Literal, cast

import torch

from whisper_runtime.contract.config_types import ComputeType
from whisper_runtime.engine.interface import CannotLoad
from whisper_runtime.engine.model.device import DeviceType

Precision = Literal["float32", "bfloat16", "float16"]

_mkldnn = cast(Any, torch.ops.mkldnn)


def resolve_precision(wanted: ComputeType, device: DeviceType, *, cpu_has_bfloat16: bool) -> Precision:
    """`auto` is float16 on a GPU and float32 on a CPU. Raises CannotLoad for what a CPU does not compute fast."""
    if wanted == "auto":
        return "float16" if device == "cuda" else "float32"
    if device == "cpu" and wanted == "float16":
        raise CannotLoad("WHISPER_COMPUTE_TYPE is float16, which no CPU computes fast: set bfloat16 or auto")
    if device == "cpu" and wanted == "bfloat16" and not cpu_has_bfloat16:
        raise CannotLoad("WHISPER_COMPUTE_TYPE is bfloat16, which this CPU cannot multiply: set auto, or other nodes")
    return wanted


def activation_dtype(device: torch.device, precision: Precision) -> torch.dtype:
    """The type of what flows between the layers: on a GPU the precision itself, on a CPU float32."""
    return getattr(torch, precision) if device.type == "cuda" else torch.float32


def cpu_has_bfloat16() -> bool:
    """Whether oneDNN multiplies bfloat16 here: on x86 with AVX-512, or AVX2 with bfloat16's own conversions."""
    return bool(torch.backends.mkldnn.is_available() and _mkldnn._is_mkldnn_bf16_supported())


def cpu_widens_float16() -> bool:
    """Whether oneDNN multiplies float32 by float16: with AVX-512 FP16; untried where float16 comes with AVX2 alone."""
    has_float16 = torch.backends.mkldnn.is_available() and _mkldnn._is_mkldnn_fp16_supported()
    return bool(has_float16 and cast(Any, torch.cpu)._is_avx512_supported())
