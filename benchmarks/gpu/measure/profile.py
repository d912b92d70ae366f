"""python -m benchmarks.gpu.measure.profile: which kernels a step and an encoding consist of, and what each takes.

Tables for the report; the whole of each in `profile-*.txt`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
from torch.profiler import ProfilerActivity
from torch.profiler import profile as profiler

from benchmarks.gpu.measure.job import StageJob, job
from benchmarks.runtime.step import step_of
from whisper_runtime.engine.model.cuda_graphs import EagerStep, decode_step

KERNELS: Final = 15
"""The longest ones, that the report names."""
NAME_LENGTH: Final = 90


def main() -> None:
    one = job("profile")
    model = one.load_random()
    rows = sorted(one.size.rows)[-2]
    mel = 0.1 * torch.randn(1, model.dims.n_mels, 3000, device=one.device)
    with torch.inference_mode():
        _profile(one, f"step of {rows} rows as served", step_of(model, rows, decode_step))
        _profile(one, f"step of {rows} rows one by one", step_of(model, rows, EagerStep))
        _profile(one, "encoding of one window", lambda: model.encoder(mel))


def _profile(one: StageJob, what: str, work: Callable[[], object]) -> None:
    cuda = one.device.type == "cuda"
    for _ in range(3):
        work()
    one.wait()
    with profiler(activities=[ProfilerActivity.CUDA if cuda else ProfilerActivity.CPU]) as seen:
        work()
        one.wait()
    averages: Any = seen.key_averages()
    time = "self_device_time_total" if cuda else "self_cpu_time_total"
    (one.out / f"profile-{what.replace(' ', '-')}.txt").write_text(averages.table(sort_by=time, row_limit=200))
    total = sum(getattr(kernel, time) for kernel in averages)
    one.tell(profile=what, kernels=sum(kernel.count for kernel in averages), device_ms=round(total / 1000, 3))
    for kernel in sorted(averages, key=lambda kernel: -getattr(kernel, time))[:KERNELS]:
        one.tell(kernel=kernel.key[:NAME_LENGTH], times=kernel.count, us=round(getattr(kernel, time), 1))


if __name__ == "__main__":
    main()
