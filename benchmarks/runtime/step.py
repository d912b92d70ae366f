"""python -m benchmarks.runtime.step: what one more token for every row takes.

On a GPU, once as it is served, as a recorded graph, and once started from Python; and how much of it the GPU computes:
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
from whisper_runtime.engine.batching import worker
from whisper_runtime.engine.batching.batch import Batch, Row
from whisper_runtime.engine.interface import Unobserved
from whisper_runtime.engine.model import load
from whisper_runtime.engine.model.cuda_graphs import OneByOne
from whisper_runtime.engine.model.load import Model
from whisper_runtime.engine.policy.queries import Script, Window

STEPS: Final = 50
SAID: Final = 20
"""Tokens that each row has said: in the middle of a short clip."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["tiny.en", "base"], help="or large-v3, of its size alone")
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 8])
    parsed = parser.parse_args()
    print("| model | precision | rows | started | ms a step (least to most) | of which the GPU computes |")
    print("|---|---|---|---|---|---|")
    for name in parsed.models:
        loaded = _load(name)
        for rows in parsed.rows:
            _measure(name, loaded, rows)


def _load(name: str) -> Model:
    if name != "large-v3":
        return load.load(weights.path(name), "auto", "auto")
    with tempfile.TemporaryDirectory() as directory:
        checkpoint = Path(directory) / "large-v3.pt"
        write_random(checkpoint, LAYERS)
        return load.load(checkpoint, "auto", "auto")


def _measure(name: str, loaded: Model, rows: int) -> None:
    batch = _batch(loaded, rows)
    ways: dict[str, Callable[[], None]] = {"as served": lambda: _step(batch)}
    if loaded.device.type == "cuda":
        one_by_one = _batch(loaded, rows)
        one_by_one._steps = OneByOne(loaded.decoder, one_by_one.cache)  # pyright: ignore[reportPrivateUsage]
        ways["one by one"] = lambda: _step(one_by_one)
    for way, step in ways.items():
        with torch.inference_mode():
            spent = _milliseconds(step)
            computing = f"{_computing(step):.1f}" if loaded.device.type == "cuda" else ""
        spread = f"{statistics.median(spent):.1f} ({min(spent):.1f} to {max(spent):.1f})"
        print(f"| {name} | {loaded.precision} | {rows} | {way} | {spread} | {computing} |", flush=True)


def _batch(loaded: Model, rows: int) -> Batch:
    """Full of rows that listen to noise."""
    with torch.inference_mode():
        batch = worker.table_of(loaded, Unobserved(), rows)._batch  # pyright: ignore[reportPrivateUsage]
        if batch.capacity < rows:
            raise SystemExit(f"{rows} rows do not fit into memory, {batch.capacity} do: lower --rows")
        mel = 0.1 * torch.randn(loaded.dims.n_mels, 3000, device=loaded.device)
        features = loaded.encoder(mel[None])
        script = Script((batch._tokens.plain.sot,), 0)  # pyright: ignore[reportPrivateUsage]
        for _ in range(rows):
            batch.start(batch.join(Window(mel, 30.0), features), script)
    return batch


def _step(batch: Batch) -> None:
    for row in batch.rows:
        _rewind(row, batch)
    batch.step()


def _rewind(row: Row, batch: Batch) -> None:
    first_time = batch._tokens.vocabulary.first_timestamp  # pyright: ignore[reportPrivateUsage]
    row.said, row.logprobs, row.result = [first_time, *[400] * (SAID - 1)], [], None


def _milliseconds(step: Callable[[], None]) -> list[float]:
    found: list[float] = []
    for _ in range(STEPS + 5):
        started = time.perf_counter()
        step()  # ends by reading tokens, hence with the device
        found.append(1000 * (time.perf_counter() - started))
    return found[5:]


def _computing(step: Callable[[], None]) -> float:
    """Milliseconds of a step that are spent in the GPU's kernels."""
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        for _ in range(STEPS):
            step()
    kernels: Any = seen.key_averages()
    return sum(one.self_device_time_total for one in kernels) / 1000 / STEPS


if __name__ == "__main__":
    main()
