"""python -m benchmarks.runtime.memory: what each part of a server holds in memory, step by step, in one process.

MiB of this process: anonymous memory, and pages of files, which the kernel can take back. The allocator is set as in
the image, and NVIDIA's libraries are as `make gpu-stand-ins` has them. HTTP's side is imported and not at work.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from testbed.inputs import weights
from testbed.paths import REPOSITORY
from whisper_runtime.process.upstream import import_upstream

CLIENTS: Final = 8
MEASURED: Final = {"RssAnon": "anonymous", "RssFile": "of files", "VmHWM": "peak"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="base")
    parser.add_argument("--steps", action="store_true", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.steps:
        _steps(weights.path(parsed.model))
        return
    weights.ensure()
    dockerfile = (REPOSITORY / "Dockerfile.runtime").read_text()
    allocator = dict(re.findall(r"\b(GLIBC_TUNABLES|THP_MEM_ALLOC_ENABLE)=(\S+)", dockerfile))
    command = (sys.executable, "-m", "benchmarks.runtime.memory", "--steps", "--model", parsed.model)
    subprocess.run(command, env={**os.environ, **allocator}, check=True)


def _steps(checkpoint: Path) -> None:
    print(f"| after | {' | '.join(MEASURED.values())} |\n|---|---|---|---|")
    _row("the interpreter")
    import_upstream()
    _row("torch and openai-whisper")
    importlib.import_module("whisper_runtime.process.assemble")
    importlib.import_module("whisper_runtime.process.servers")
    _row("all other imports")
    from benchmarks.parity.sounds import voice
    from whisper_runtime.engine.batching.request import TranscriptionRequest
    from whisper_runtime.engine.batching.scheduler import build_scheduler
    from whisper_runtime.engine.batching.worker import transcribe_alone
    from whisper_runtime.engine.interface import NullObserver
    from whisper_runtime.engine.model.load import load
    from whisper_runtime.engine.model.memory import give_back
    from whisper_runtime.engine.transcription import Options, Transcription

    loaded = load(checkpoint, "cpu", "float32")
    _row("the weights, packed")
    give_back()
    _row("giving back what that left")
    scheduler = build_scheduler(loaded, NullObserver())
    _row("the batch's rows, unused")
    transcribe_alone(scheduler, voice("jfk"))
    _row("one recording")
    futures: list[Future[Transcription]] = [Future() for _ in range(CLIENTS)]
    for future in futures:
        options = Options(language="en")
        scheduler.add(TranscriptionRequest(voice("jfk"), options, future, None, time.perf_counter()))
    while scheduler.requests:
        scheduler.iterate()
    _row(f"{CLIENTS} recordings at once")
    words = Options(language="en", word_timestamps=True)
    scheduler.add(TranscriptionRequest(voice("jfk"), words, Future(), None, time.perf_counter()))
    while scheduler.requests:
        scheduler.iterate()
    _row("the first times of words")


def _row(step: str) -> None:
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    cells = [f"{int(lines[name].split()[0]) / 1024:.0f}" for name in MEASURED]
    print(f"| {step} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
