"""Opens the batches of a process, beside its jobs."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from whisper_runtime.service.batches.collector import BatchCollector
from whisper_runtime.service.batches.door import BatchDoor
from whisper_runtime.service.batches.line_jobs import BatchWorkplace
from whisper_runtime.service.batches.line_request import LineDialect
from whisper_runtime.service.batches.runner import BatchRunner
from whisper_runtime.service.batches.sqlite_store import SqliteBatchStore
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.open import CannotKeepJobs
from whisper_runtime.service.jobs.sqlite_store import SqliteJobStore
from whisper_runtime.service.parts import RuntimeParts


def open_batches(
    directory: str,
    parts: RuntimeParts,
    jobs: JobDoor,
    dialect: LineDialect,
    clock: Callable[[], float] = time.time,
) -> BatchDoor:
    """The batches in `directory`, where `jobs` has its own; blocks. Raises CannotKeepJobs."""
    config = parts.config
    assert isinstance(jobs.store, SqliteJobStore)  # the one store of jobs that there is
    try:
        store = SqliteBatchStore(jobs.store, Path(directory), max_bytes=config.jobs_max_bytes, clock=clock)
    except (OSError, sqlite3.Error) as error:
        raise CannotKeepJobs(
            f"WHISPER_JOBS_DIR is {directory}, where no file can be kept ({error}): mount a writable volume there"
        ) from None
    workplace = BatchWorkplace(store, jobs, parts.admission, dialect, config.max_audio_seconds, clock)
    runner = BatchRunner(workplace)
    parts.metrics.registry.register(BatchCollector(lambda: runner.live, workplace.answered))
    return BatchDoor(store, runner, jobs.outbox, config.jobs_result_seconds)
