"""A processor's speed in bfloat16 is measured, and the processor is named with its flags."""

from __future__ import annotations

import platform

import pytest

from tests.support.processor import PRECISIONS
from whisper_runtime.engine.model.bfloat16 import processor, relative_speed
from whisper_runtime.engine.model.precision import Precision

X86 = """\
processor	: 0
model name	: Intel(R) Xeon(R) Processor @ 2.50GHz
flags		: fpu avx2 avx512f avx512_vnni

processor	: 1
model name	: another
flags		: fpu amx_bf16
"""
ARM = """\
processor	: 0
Features	: fp asimd sve bf16 i8mm
CPU part	: 0xd40
"""


@pytest.mark.parametrize(
    ("cpuinfo", "said"),
    [
        (X86, "Intel(R) Xeon(R) Processor @ 2.50GHz (avx512f avx2)"),
        (ARM, f"{platform.machine()} (sve bf16 asimd)"),
        ("", f"{platform.machine()} (no flags)"),
    ],
)
def test_the_first_processor_is_named_with_what_it_multiplies_by(cpuinfo: str, said: str) -> None:
    assert processor(cpuinfo) == said


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_speed_is_a_relation(precision: Precision) -> None:
    assert 0 < relative_speed(precision) < 100
