"""python -m benchmarks.runtime.precision: what bfloat16 is worth on this processor; a row of docs/reports/precision.md.

Both precisions take turns: a product of the encoder, an encoding, and a whole recording of 11 s.
"""

from __future__ import annotations

import argparse
import datetime
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch

from benchmarks.parity import run
from benchmarks.parity.sounds import voice
from testbed.inputs import weights
from testbed.paths import REPOSITORY
from whisper_runtime.contract.config_types import ComputeType
from whisper_runtime.engine.batching.worker import transcribe_alone
from whisper_runtime.engine.model.bfloat16 import processor, relative_speed
from whisper_runtime.engine.model.load import load

PRECISIONS: Final[tuple[ComputeType, ...]] = ("float32", "bfloat16")
REPORT: Final = REPOSITORY / "docs/reports/precision.md"
HEADER: Final = """\
# bfloat16 by processor

A row for each kind of processor on which `make bench-precision` was run, with the flags that matter; the model is
base, the recording has 11 s and its language is given. Medians of turns, in seconds, in float32 and in bfloat16. A pod
measures the product's speed by itself, where it runs in bfloat16 on a CPU (`whisper_bfloat16_speed_ratio`).

| processor | threads | product: speed by float32 | an encoding | the recording | measured |
|---|---|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.runtime.precision", description=__doc__)
    parser.add_argument("--model", default="base")
    parser.add_argument("--rounds", type=int, default=5)
    parsed = parser.parse_args()
    weights.ensure()
    name = processor(Path("/proc/cpuinfo").read_text())
    speed = relative_speed("bfloat16")
    encoding = _in_turns({one: _encoding(parsed.model, one) for one in PRECISIONS}, parsed.rounds)
    recording = _in_turns({one: _recording(parsed.model, one) for one in PRECISIONS}, parsed.rounds)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    row = f"| {name} | {torch.get_num_threads()} | {speed:.2f} | {encoding} | {recording} | {today} |\n"
    kept = REPORT.read_text().removeprefix(HEADER).splitlines(keepends=True) if REPORT.exists() else []
    rows = {line.split("|")[1]: line for line in [*kept, row]}
    REPORT.write_text(HEADER + "".join(rows.values()))
    print(row, end="")


def _encoding(model: str, precision: ComputeType) -> Callable[[], object]:
    loaded = load(weights.path(model), "cpu", precision)
    mel = 0.1 * torch.randn(1, loaded.dims.n_mels, 3000)
    return lambda: loaded.encoder(mel)


def _recording(model: str, precision: ComputeType) -> Callable[[], object]:
    engine, samples = run.scheduler(model, precision), voice("jfk")
    return lambda: transcribe_alone(engine, samples)


def _in_turns(work: dict[ComputeType, Callable[[], object]], rounds: int) -> str:
    """The median seconds of each, in their order; a first turn warms up."""
    taken: dict[ComputeType, list[float]] = {one: [] for one in work}
    with torch.inference_mode():
        for _ in range(1 + rounds):
            for one, do in work.items():
                started = time.perf_counter()
                do()
                taken[one].append(time.perf_counter() - started)
    return " → ".join(f"{statistics.median(seconds[1:]):.2f}" for seconds in taken.values())


if __name__ == "__main__":
    main()
