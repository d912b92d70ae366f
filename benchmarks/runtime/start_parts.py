"""python -m benchmarks.runtime.start_parts STARTED CHECKPOINT CLIP: the parts of a start, one after the other, as JSON.

Of the build on the path; a server has some of them side by side. STARTED is when the process was started, by
time.monotonic, which is one clock for all processes of a machine.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import Any

UPSTREAM = "whisper_runtime.process.upstream"


def main(started: float, checkpoint: Path, clip: Path) -> dict[str, float]:
    """Seconds by part."""
    found: dict[str, float] = {}
    ended = started

    def ends(part: str) -> None:
        nonlocal ended
        now = time.monotonic()
        found[part], ended = now - ended, now

    ends("interpreter")
    if importlib.util.find_spec(UPSTREAM):
        importlib.import_module(UPSTREAM).import_upstream()
    importlib.import_module("whisper")
    ends("import torch and openai-whisper")
    start_up: Any = importlib.import_module("whisper_runtime.process.start_up")
    ends("import the engine")
    importlib.import_module("whisper_runtime.process.servers")
    importlib.import_module("whisper_runtime.process.assemble")
    ends("import HTTP's side")
    loading: Any = importlib.import_module("whisper_runtime.engine.model.load")
    # A build that knows no layout of Hugging Face's maps the file by its path.
    mapped = loading.read_checkpoint(checkpoint) if hasattr(loading, "read_checkpoint") else checkpoint
    loading.load_mapped(mapped)
    ends("weights")
    loaded = loading.load(checkpoint, "cpu", "float32")
    ends("packing")
    interface: Any = importlib.import_module("whisper_runtime.engine.interface")
    scheduler = start_up.build_scheduler(loaded, interface.NullObserver())
    ends("buffers")
    worker: Any = importlib.import_module("whisper_runtime.engine.batching.worker")
    samples = start_up.self_test.read_wav(clip)
    worker.transcribe_alone(scheduler, samples)
    ends("golden clip, the first decode")
    worker.transcribe_alone(scheduler, samples)
    ends("the same again")
    return found


if __name__ == "__main__":
    print(json.dumps(main(float(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))))
