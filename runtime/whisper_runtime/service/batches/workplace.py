"""What a process needs to work at batches, and to take them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from whisper_runtime.service.admission import Admission
from whisper_runtime.service.batches.line_request import LineDialect
from whisper_runtime.service.batches.store import BatchStore
from whisper_runtime.service.jobs.door import JobDoor


@dataclass(frozen=True)
class BatchWorkplace:
    store: BatchStore
    jobs: JobDoor
    admission: Admission
    dialect: LineDialect
    most_audio_seconds: float
    """While the jobs of one batch have so many seconds of audio together, no further line becomes one."""
    clock: Callable[[], float]
    """Unix time in seconds, as the store has it."""
