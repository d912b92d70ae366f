"""What a stage is told, and how it tells what it measured."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.sizes import SIZES, RunSize
from whisper_runtime.engine.model import load
from whisper_runtime.engine.model.load import WhisperModel


@dataclass(frozen=True)
class StageJob:
    name: str
    device: torch.device
    size: RunSize
    work: Path
    """Holds what one stage leaves to the next."""
    out: Path

    @property
    def random_checkpoint(self) -> Path:
        return self.work / "random.pt"

    def load_random(self) -> WhisperModel:
        return load.load(self.random_checkpoint, "cuda" if self.device.type == "cuda" else "cpu", "auto")

    def tell(self, **row: Any) -> None:
        """A row of the report, written at once: the stage may yet fail or be ended."""
        with (self.out / f"{self.name}.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(row, flush=True)

    def wait(self) -> None:
        """Until the device has done what it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def milliseconds(self, work: Callable[[], object]) -> list[float]:
        """Of each of some runs of `work`, after a few that warm up."""
        found: list[float] = []
        for _ in range(self.size.repeats + 3):
            started = time.perf_counter()
            work()
            self.wait()
            found.append(1000 * (time.perf_counter() - started))
        return found[3:]


def job(name: str) -> StageJob:
    """The stage `name`, as the command line of its process says."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.gpu.measure.{name}")
    parser.add_argument("--device", type=torch.device, required=True)
    parser.add_argument("--size", choices=SIZES, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parsed = parser.parse_args()
    return StageJob(name, parsed.device, SIZES[parsed.size], parsed.work, parsed.out)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, and the least and the most."""
    median, least, most = (f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return f"{median} ({least} to {most})"
