"""python -m benchmarks.runtime.words: how long the times of a window's words take, before and now.

By the number of tokens: until the times are there; how much of that the model's thread computes, so that all rows
wait; and the alignment alone, less what the decoder takes to read the tokens, as upstream has it read them. Each
build is a process of its own, and they take turns.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import torch

from benchmarks.against.checkouts import builds
from testbed.inputs import weights
from testbed.paths import REPOSITORY
from whisper_runtime.engine.batching.runner import ModelRunner
from whisper_runtime.engine.batching.scheduler import build_runner
from whisper_runtime.engine.batching.sequence import Slot
from whisper_runtime.engine.interface import NullObserver
from whisper_runtime.engine.model import load
from whisper_runtime.engine.model.load import WhisperModel
from whisper_runtime.engine.policy.queries import AlignTokens, Window

BEFORE: Final = "c205354"
"""The last build that aligned on the model's thread."""
TOKENS: Final = (25, 60, 120, 220)
MEASURED: Final = ("all", "held up", "alignment")
REPEATS: Final = 5
"""Of each window, after one that is not counted: it may compile."""

Milliseconds = dict[str, list[float]]
"""By what was measured, such as `60 all`."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="base")
    parser.add_argument("--commit", default=BEFORE, help="the build that is compared with")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.measure:
        print(json.dumps(_measure(parsed.model)))
        return
    found: dict[str, Milliseconds] = {}
    with builds(parsed.commit) as both:
        for name, checkout in both.in_turns(parsed.rounds):
            for key, values in _in_process(checkout, parsed.model).items():
                found.setdefault(key, {}).setdefault(name, []).extend(values)
    print("| window | what | ms before | ms now | times faster |\n|---|---|---|---|---|")
    for tokens in TOKENS:
        for what in MEASURED:
            spent = found[f"{tokens} {what}"]
            faster = statistics.median(spent["before"]) / statistics.median(spent["now"])
            print(f"| {tokens} tokens | {what} | {_spread(spent['before'])} | {_spread(spent['now'])} | {faster:.1f} |")


def _in_process(checkout: Path, model: str) -> Milliseconds:
    path = os.pathsep.join((str(checkout / "runtime"), str(checkout / "operator"), str(REPOSITORY)))
    command = (sys.executable, "-m", "benchmarks.runtime.words", "--measure", "--model", model)
    answer = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, cwd=checkout, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(answer.stdout)


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})"


def _measure(model: str) -> Milliseconds:
    """Of the build on the path: a window of noise, and as many words."""
    loaded = load.load(weights.path(model), "cpu", "float32")
    found: Milliseconds = {}
    with torch.inference_mode():
        runner = build_runner(loaded, NullObserver(), 1)
        window = Window(0.1 * torch.randn(loaded.dims.n_mels, 3000), 30.0)
        slot = _slot_of(runner, window)
        for tokens in TOKENS:
            times = [_times(loaded, runner, slot, window, tokens) for _ in range(REPEATS + 1)][1:]
            found |= {
                f"{tokens} {what}": list(values)
                for what, values in zip(MEASURED, zip(*times, strict=True), strict=True)
            }
    return found


def _slot_of(runner: ModelRunner, window: Window) -> Slot:
    """The slot of the window, in a build that gives them to many at once, or to one as builds before did."""
    allocate: Any = runner.allocate
    features = runner.encode(window.mel[None])
    if "windows" in inspect.signature(allocate).parameters:
        return allocate([window], features, [False])[0]
    return allocate(window, features, searched=False)


def _times(loaded: WhisperModel, runner: ModelRunner, slot: Slot, window: Window, tokens: int) -> tuple[float, ...]:
    """Milliseconds, in the order of MEASURED."""
    special = runner.tokenizer.english
    text = [400 + number for number in range(tokens)]
    query = (*special.sot_sequence, special.no_timestamps, *text, special.eot)
    started = time.perf_counter()
    loaded.decoder.logits(loaded.decoder([query], [0], slot.cache, slot.row)[0]).softmax(dim=-1)
    reading = time.perf_counter() - started
    started = time.perf_counter()
    answer = runner.answer(slot, AlignTokens(window, query, len(special.sot_sequence), 3000))
    held = time.perf_counter() - started
    if isinstance(answer, Future):
        answer.result()
    whole = time.perf_counter() - started
    return 1000 * whole, 1000 * held, 1000 * max(0.001, whole - reading)


if __name__ == "__main__":
    main()
