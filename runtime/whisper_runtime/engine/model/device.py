"""The compute device: which one is used, and what it is asked after an error."""

from __future__ import annotations

from typing import Literal

import torch

from whisper_runtime.contract.config import Device
from whisper_runtime.engine.interface import CannotLoad

DeviceType = Literal["cuda", "cpu"]


def resolve_device(wanted: Device) -> DeviceType:
    """`auto` is the GPU where there is one. Raises CannotLoad where `cuda` is wanted and there is none."""
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise CannotLoad("WHISPER_DEVICE is cuda, but this machine offers no GPU: ask for one (spec.gpu), or set cpu")
    return wanted


def raise_if_lost(device: torch.device) -> None:
    """Raise what CUDA raises where the device is lost: after some errors it fails every later call with the same."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def release_memory(device: torch.device) -> None:
    """Return the memory that torch's allocator keeps for later, and that is fragmented."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
