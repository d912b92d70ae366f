"""The batches of a process around the fake engine, beside its jobs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from whisper_runtime.http.batch_line import OpenAILines
from whisper_runtime.service.batches.door import BatchDoor
from whisper_runtime.service.batches.open import open_batches
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.parts import RuntimeParts


def fake_batches(
    parts: RuntimeParts, jobs: JobDoor, directory: Path | None, clock: Callable[[], float] = time.time
) -> BatchDoor:
    """Batches of `parts`, whose `jobs` are in the same directory, if they are in one."""
    lines = OpenAILines(parts.model, takes_urls=parts.transcriber.takes_urls)
    return open_batches(directory and str(directory), parts, jobs, lines, clock)
