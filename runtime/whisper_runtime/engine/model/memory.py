"""How many rows are decoded together: as many as memory has room for, and no more than are of use."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from whisper.model import ModelDimensions

MOST_ROWS: Final = {"cpu": 8, "cuda": 64}
"""Where the user names no number. Estimated: by then the weights, which rows share, are a small part of a step."""
WINDOWS_ENCODED_AT_ONCE: Final = {"cpu": 1, "cuda": 8}
"""On a CPU an encoding costs the same alone and among others, and steps need not wait for several."""
SHARE: Final = 0.25
"""Of what is free once the weights are loaded; the rest is for what happens between two layers, and for others."""
CGROUP: Final = Path("/sys/fs/cgroup")


def rows(dims: ModelDimensions, device: torch.device, dtype: torch.dtype, wanted: int | None = None) -> int:
    """At least one, whatever is free; no more than `wanted`."""
    room = SHARE * _free(device)
    return max(1, min(wanted or MOST_ROWS[device.type], int(room / row_bytes(dims, dtype))))


def row_bytes(dims: ModelDimensions, dtype: torch.dtype) -> int:
    """Keys and values of one row: its tokens, and its window."""
    positions = dims.n_text_ctx + dims.n_audio_ctx
    return 2 * dims.n_text_layer * positions * dims.n_text_state * dtype.itemsize


def _free(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    lines = Path("/proc/meminfo").read_text().splitlines()
    machine = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    limit, used = _number(CGROUP / "memory.max"), _number(CGROUP / "memory.current")
    return machine if limit is None or used is None else max(0, min(machine, limit - used))


def _number(path: Path) -> int | None:
    """None where there is no such file, or no limit in it."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
