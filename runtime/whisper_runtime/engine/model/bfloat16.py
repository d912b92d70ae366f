"""Whether bfloat16 is of use on this processor: that is measured, because its flags do not say it.

oneDNN multiplies in bfloat16 wherever there is AVX-512, and a Xeon was slower by AVX512-BF16 than in float32
(docs/explanation/engine.md, Precision).
"""

from __future__ import annotations

import platform
import time
from typing import Final

import torch
from torch import nn

from whisper_runtime.engine.model.linear import PackedLinear, packing
from whisper_runtime.engine.model.precision import Precision

ROWS: Final = 1500
"""Those of a window."""
WIDTHS: Final = (512, 2048)
"""The largest layer of base's encoder."""
ROUNDS: Final = 5
FLAGS: Final = ("amx_bf16", "avx512_bf16", "avx512_fp16", "avx512f", "avx_ne_convert", "avx2", "sve", "bf16", "asimd")
"""What a product may be made of, by the names that Linux gives on x86 and ARM."""


def relative_speed(precision: Precision) -> float:
    """How many times as fast as in float32 a product of the encoder is here: the best of some turns of each.

    Raises RuntimeError where the processor does not multiply in `precision`.
    """
    layer, rows = nn.Linear(*WIDTHS), torch.ones(ROWS, WIDTHS[0])
    with torch.inference_mode():
        single = packing(torch.device("cpu"), "float32").many_rows(layer)
        other = packing(torch.device("cpu"), precision).many_rows(layer)
        turns = [(_seconds(single, rows), _seconds(other, rows)) for _ in range(1 + ROUNDS)][1:]
    return min(first for first, _ in turns) / min(second for _, second in turns)


def _seconds(product: PackedLinear, rows: torch.Tensor) -> float:
    started = time.perf_counter()
    product(rows)
    return time.perf_counter() - started


def processor(cpuinfo: str) -> str:
    """The processor's name, and which of FLAGS it has, by the text of /proc/cpuinfo."""
    fields = [line.partition(":") for line in cpuinfo.splitlines()]
    values = {name.strip(): value.strip() for name, _, value in reversed(fields)}
    found = values.get("flags", values.get("Features", "")).split()
    name = values.get("model name") or platform.machine()
    return f"{name} ({' '.join(flag for flag in FLAGS if flag in found) or 'no flags'})"
