"""python -m benchmarks.runtime.step: the time of a decode step, one more token for every row.

On a GPU, once as it is served, as a CUDA graph, and once launched from Python; and how much of it the GPU computes:
the rest is the host.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.runtime.loading import LAYERS, write_random
from testbed.inputs import weights
from whisper_runtime.engine.batching.batch import Batch
from whisper_runtime.engine.batching.scheduler import build_runner
from whisper_runtime.engine.interface import NullObserver
from whisper_runtime.engine.model import load
from whisper_runtime.engine.model.cuda_graphs import EagerStep, MakeDecodeStep, decode_step
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.policy.queries import DecodingParams, Window

STEPS: Final = 50
SAMPLED: Final = 20
"""Tokens that each row has sampled before: in the middle of a short clip."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["tiny.en", "base"], help="large-v3 is of its size alone")
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 8])
    parsed = parser.parse_args()
    print("| model | precision | rows | launched | ms a step (least to most) | of which the GPU computes |")
    print("|---|---|---|---|---|---|")
    for name in parsed.models:
        loaded = _load(name)
        for rows in parsed.rows:
            _measure(name, loaded, rows)


def _load(name: str) -> WhisperModel:
    if name != "large-v3":
        return load.load(weights.path(name), "auto", "auto")
    with tempfile.TemporaryDirectory() as directory:
        checkpoint = Path(directory) / "large-v3.pt"
        write_random(checkpoint, LAYERS)
        return load.load(checkpoint, "auto", "auto")


def _measure(name: str, loaded: WhisperModel, rows: int) -> None:
    ways: dict[str, MakeDecodeStep] = {"as served": decode_step}
    if loaded.device.type == "cuda":
        ways["one by one"] = EagerStep
    for way, make_step in ways.items():
        step = step_of(loaded, rows, make_step)
        with torch.inference_mode():
            spent = _milliseconds(step)
            on_gpu = f"{computing(step):.1f}" if loaded.device.type == "cuda" else ""
        spread = f"{statistics.median(spent):.1f} ({min(spent):.1f} to {max(spent):.1f})"
        print(f"| {name} | {loaded.precision} | {rows} | {way} | {spread} | {on_gpu} |", flush=True)


def step_of(loaded: WhisperModel, rows: int, make_step: MakeDecodeStep) -> Callable[[], None]:
    """One decode step of a full batch, whose rows attend to noise; each call repeats it at the same positions."""
    with torch.inference_mode():
        runner = build_runner(loaded, NullObserver(), rows, make_step=make_step)
        batch, tokenizer = runner.batch, runner.tokenizer
        if batch.capacity < rows:
            raise SystemExit(f"{rows} rows do not fit into memory, {batch.capacity} do: lower --rows")
        mel = 0.1 * torch.randn(loaded.dims.n_mels, 3000, device=loaded.device)
        features = loaded.encoder(mel[None])
        for _ in range(rows):
            (slot,) = batch.allocate([Window(mel, 30.0)], features)
            batch.prefill(slot, DecodingParams((tokenizer.english.sot,), 0))

    def step() -> None:
        _rewind(batch, tokenizer.vocabulary.first_timestamp)
        batch.decode(0, rows)

    return step


def _rewind(batch: Batch, first_timestamp: int) -> None:
    for slot in batch.slots:
        slot.tokens, slot.logprobs, slot.result = [first_timestamp, *[400] * (SAMPLED - 1)], [], None
        slot.written = SAMPLED


def _milliseconds(step: Callable[[], None]) -> list[float]:
    found: list[float] = []
    for _ in range(STEPS + 5):
        started = time.perf_counter()
        step()  # ends by reading tokens, hence with the device
        found.append(1000 * (time.perf_counter() - started))
    return found[5:]


def computing(step: Callable[[], None]) -> float:
    """Milliseconds of a step in the GPU's kernels."""
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        for _ in range(STEPS):
            step()
    kernels: Any = seen.key_averages()
    return sum(one.self_device_time_total for one in kernels) / 1000 / STEPS


if __name__ == "__main__":
    main()
