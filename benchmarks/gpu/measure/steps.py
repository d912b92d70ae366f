"""python -m benchmarks.gpu.measure.steps: a decode step by its number of rows, as served and launched one by one."""

from __future__ import annotations

from typing import Final

import torch

from benchmarks.gpu.measure.job import StageJob, job, spread
from benchmarks.runtime.step import computing, step_of
from whisper_runtime.engine.batching.scheduler import build_runner
from whisper_runtime.engine.interface import NullObserver
from whisper_runtime.engine.model.cuda_graphs import EagerStep, MakeDecodeStep, decode_step
from whisper_runtime.engine.model.load import WhisperModel

WAYS: Final[dict[str, MakeDecodeStep]] = {"as served": decode_step, "one by one": EagerStep}


def main() -> None:
    one = job("steps")
    model = one.load_random()
    runner = build_runner(model, NullObserver())
    one.tell(rows_that_fit=runner.batch.capacity)
    del runner
    for rows in one.size.rows:
        for way, make_step in WAYS.items():
            _measure(one, model, rows, way, make_step)


def _measure(one: StageJob, model: WhisperModel, rows: int, way: str, make_step: MakeDecodeStep) -> None:
    step = step_of(model, rows, make_step)
    with torch.inference_mode():
        taken = one.milliseconds(step)
        on_device = f"{computing(step):.2f}" if one.device.type == "cuda" else ""
    one.tell(rows=rows, launched=way, ms_a_step=spread(taken), of_which_the_gpu_computes=on_device)


if __name__ == "__main__":
    main()
