"""How many rows a batch has: as many as memory has room for, and no more than are of use."""

from __future__ import annotations

import ctypes
import math
from pathlib import Path
from typing import Final

import torch
from whisper.model import ModelDimensions

from whisper_runtime.engine.model.window_attention import windows_shape

MAX_ROWS: Final = {"cpu": 8, "cuda": 64}
"""The limit where the user names none. Estimated: by then the weights, which rows share, are a small part of a step."""
MAX_WINDOWS_PER_ENCODING: Final = {"cpu": 1, "cuda": 8}
"""On a CPU an encoding costs the same alone and among others, and decode steps need not wait for several."""
STEPS_PER_ENCODING: Final = {"cpu": 24, "cuda": 0}
"""How many decode steps take as long as an encoding, on a CPU. Rows that decode have so many for each window that
waits, and then all windows that wait are encoded, one after the other: nobody waits longer for others than they do for
him, and rows that began together end before the next ones begin, in the place of waiting for each of them.

0: steps wait for no window, nor windows for steps; on a GPU an encoding is short.
"""
KV_CACHE_SHARE: Final = {"cpu": 0.25, "cuda": 0.75}
"""Part of the memory that is free once the weights are loaded; the rest is for activations, and on a CPU for other
programs. large-v3 on a GPU of 24 GB leaves 5 GB: eight windows that are encoded at once take a tenth of that."""
_libc: Final = ctypes.CDLL(None)
_libc.malloc_trim.argtypes = (ctypes.c_size_t,)
CGROUP: Final = Path("/sys/fs/cgroup")


def batch_capacity(
    dims: ModelDimensions, device: torch.device, dtype: torch.dtype, free_bytes: int, wanted: int | None = None
) -> int:
    """Rows of the batch: at least one, whatever is free; at most `wanted`, or MAX_ROWS where that is None.

    `dtype` is that of the KV cache.
    """
    fitting = int(KV_CACHE_SHARE[device.type] * free_bytes / bytes_per_row(dims, device, dtype))
    return max(1, min(wanted or MAX_ROWS[device.type], fitting))


def bytes_per_row(dims: ModelDimensions, device: torch.device, dtype: torch.dtype) -> int:
    """The KV cache of one row: its tokens, and its window."""
    heads, width = dims.n_text_head, dims.n_text_state
    tokens = 2 * dims.n_text_layer * dims.n_text_ctx * width
    window = math.prod(windows_shape(device, dims.n_text_layer, 1, heads, dims.n_audio_ctx, width))
    return (tokens + window) * dtype.itemsize


def free_memory(device: torch.device) -> int:
    """Bytes; on a CPU the lesser of the machine's and the container's (cgroup v2)."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    lines = Path("/proc/meminfo").read_text().splitlines()
    machine = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    limit, used = _number(CGROUP / "memory.max"), _number(CGROUP / "memory.current")
    return machine if limit is None or used is None else max(0, min(machine, limit - used))


def give_back() -> None:
    """Return to the kernel what the process has freed: to load a model leaves pieces that nothing asks for again, and
    glibc keeps them as far as its trim_threshold goes (Dockerfile.runtime sets it, for the sake of windows)."""
    _libc.malloc_trim(0)


def _number(path: Path) -> int | None:
    """None where there is no such file, or no limit in it."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
