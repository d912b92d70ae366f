"""What is asked of the device itself when something went wrong on it."""

from __future__ import annotations

import torch


def check(device: torch.device) -> None:
    """Raises where the device is lost: after some errors CUDA answers every later call with the same one."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def release(device: torch.device) -> None:
    """Gives back the memory that torch keeps for later, which lies in pieces."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
