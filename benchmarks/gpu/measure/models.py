"""python -m benchmarks.gpu.measure.models: tiny.en from its eight bits, and a random model of the size measured."""

from __future__ import annotations

import time

import torch

from benchmarks.gpu import eight_bits, random_model
from benchmarks.gpu.kit import EIGHT_BITS, WEIGHTS
from benchmarks.gpu.measure.job import job
from testbed.inputs import weights


def main() -> None:
    one = job("models")
    checkpoint = torch.load(one.work / WEIGHTS / EIGHT_BITS, weights_only=True)
    torch.save(eight_bits.unpacked(checkpoint), weights.path("tiny.en"))
    started = time.perf_counter()
    random_model.write(one.random_checkpoint, random_model.dimensions(one.size.layers, one.size.width), one.device)
    written = time.perf_counter()
    model = one.load_random()
    one.wait()
    one.tell(
        random_model_mib=round(one.random_checkpoint.stat().st_size / 1024**2),
        written_s=round(written - started, 1),
        loaded_s=round(time.perf_counter() - written, 1),
        precision=model.precision,
    )


if __name__ == "__main__":
    main()
