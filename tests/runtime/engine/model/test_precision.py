"""A precision that the device does not compute fast is refused, with those that it does."""

from __future__ import annotations

import pytest

from whisper_runtime.contract.config_types import ComputeType
from whisper_runtime.engine.interface import CannotLoad
from whisper_runtime.engine.model.device import DeviceType
from whisper_runtime.engine.model.precision import Precision, resolve_precision


@pytest.mark.parametrize(
    ("wanted", "device", "precision"),
    [
        ("auto", "cpu", "float32"),
        ("auto", "cuda", "float16"),
        ("bfloat16", "cpu", "bfloat16"),
        ("bfloat16", "cuda", "bfloat16"),
        ("float32", "cuda", "float32"),
    ],
)
def test_auto_is_the_devices_own(wanted: ComputeType, device: DeviceType, precision: Precision) -> None:
    assert resolve_precision(wanted, device, cpu_has_bfloat16=True) == precision


def test_a_cpu_refuses_float16() -> None:
    with pytest.raises(CannotLoad, match="float16, which no CPU computes fast: set bfloat16 or auto"):
        resolve_precision("float16", "cpu", cpu_has_bfloat16=True)


def test_a_cpu_that_does_not_multiply_bfloat16_refuses_it() -> None:
    with pytest.raises(CannotLoad, match="bfloat16, which this CPU cannot multiply: set auto, or other nodes"):
        resolve_precision("bfloat16", "cpu", cpu_has_bfloat16=False)
