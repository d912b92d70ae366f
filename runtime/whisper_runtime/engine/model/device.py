"""The compute device: which one is used, and what it is asked after an error."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Literal

import torch

from whisper_runtime.contract.config_types import Device
from whisper_runtime.engine.interface import CannotLoad

DeviceType = Literal["cuda", "cpu"]


def resolve_device(wanted: Device) -> DeviceType:
    """`auto` is the GPU where there is one. Raises CannotLoad where `cuda` is wanted and there is none."""
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise CannotLoad("WHISPER_DEVICE is cuda, but this machine offers no GPU: ask for one (spec.gpu), or set cpu")
    return wanted


def choose_attention(device: torch.device) -> None:
    """For this process: on a GPU FlashAttention, and with a mask the memory-efficient kernels.

    torch puts cuDNN's before both on Hopper and Blackwell (ATen, transformers/cuda/sdp_utils.cpp).
    Those are planned for each shape, on the host, while all rows wait; a prompt and a text have any length.
    """
    if device.type == "cuda":
        torch.backends.cuda.enable_cudnn_sdp(False)


class DeviceTimer:
    """How long work takes on the device, where a GPU does it after the host has launched it; nothing waits for it."""

    def __init__(self, device: torch.device, report: Callable[[str, float], None]) -> None:
        """`report` is called with the name of a stage and its seconds, in the order of the stages' ends."""
        self._is_gpu, self._report = device.type == "cuda", report
        self._running: deque[tuple[str, torch.cuda.Event, torch.cuda.Event]] = deque()

    @contextmanager
    def timed(self, stage: str) -> Generator[None, None, None]:
        """Time the block, unless it raises."""
        if not self._is_gpu:
            started = time.perf_counter()
            yield
            return self._report(stage, time.perf_counter() - started)
        began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        began.record()
        yield
        ended.record()
        self._running.append((stage, began, ended))

    def report_ended(self) -> None:
        """Report what a GPU has done meanwhile."""
        while self._running and self._running[0][2].query():
            stage, began, ended = self._running.popleft()
            self._report(stage, began.elapsed_time(ended) / 1000)


def raise_if_lost(device: torch.device) -> None:
    """Raise what CUDA raises where the device is lost: after some errors it fails every later call with the same."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def release_memory(device: torch.device) -> None:
    """Return the memory that torch's allocator keeps for later, and that is fragmented."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
