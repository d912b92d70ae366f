"""python -m benchmarks.gpu.measure.machine: the card, the versions, and the two figures that bound everything else."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Callable
from typing import Final

import torch

from benchmarks.gpu.measure.job import StageJob, job, spread

PRODUCT: Final = {"cuda": 8192, "cpu": 512}
"""Rows and columns of the matrix product."""
COPY_MIB: Final = {"cuda": 4096, "cpu": 64}


def main() -> None:
    one = job("machine")
    _facts(one)
    _ceilings(one)


def _facts(one: StageJob) -> None:
    cuda = one.device.type == "cuda"
    name = torch.cuda.get_device_name(one.device) if cuda else platform.processor() or platform.machine()
    one.tell(
        device=name,
        python=platform.python_version(),
        torch=torch.__version__,
        cuda=torch.version.cuda or "",
        cudnn=torch.backends.cudnn.version() or "",
        threads=torch.get_num_threads(),
    )
    if cuda:
        asked = "name,driver_version,memory.total,clocks.sm,clocks.mem,power.limit"
        command = ("nvidia-smi", f"--query-gpu={asked}", "--format=csv,noheader")
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        one.tell(nvidia_smi=(answer.stdout or answer.stderr).strip())
        free, total = torch.cuda.mem_get_info(one.device)
        one.tell(free_gib=round(free / 1024**3, 1), total_gib=round(total / 1024**3, 1))


def _ceilings(one: StageJob) -> None:
    """What a matrix product and a copy reach: the floor of each later figure."""
    kind = one.device.type
    dtype = torch.float16 if kind == "cuda" else torch.float32
    side = PRODUCT[kind]
    left, right = (torch.randn(side, side, device=one.device, dtype=dtype) for _ in range(2))
    taken = one.milliseconds(_discard(lambda: left @ right))
    one.tell(what=f"product of {side}²", ms=spread(taken), reaches=f"{2 * side**3 / min(taken) / 1e9:.0f} TFLOP/s")
    source = torch.randn(COPY_MIB[kind] * 2**18, device=one.device)
    target = torch.empty_like(source)
    taken = one.milliseconds(lambda: target.copy_(source))
    moved = 2 * source.nbytes / min(taken) / 1e6
    one.tell(what=f"copy of {COPY_MIB[kind]} MiB", ms=spread(taken), reaches=f"{moved:.0f} GB/s, read and written")


def _discard(work: Callable[[], torch.Tensor]) -> Callable[[], None]:
    def run() -> None:
        work()

    return run


if __name__ == "__main__":
    main()
