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
from whisper_runtime.service.batches.store import BatchStore
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.sqlite_store import SqliteJobStore
from whisper_runtime.service.jobs.store import CannotKeepJobs
from whisper_runtime.service.parts import RuntimeParts


def open_batches(
    directory: str | None,
    parts: RuntimeParts,
    jobs: JobDoor,
    dialect: LineDialect,
    clock: Callable[[], float] = time.time,
) -> BatchDoor:
    """The batches beside `jobs`, where those are; blocks. Raises CannotKeepJobs.

    `directory`: that of jobs. `clock`: theirs in a directory; a shared store has its own.
    """
    config = parts.config
    store: BatchStore
    if isinstance(jobs.store, SqliteJobStore):
        assert directory is not None
        store = _of_directory(directory, jobs.store, config.jobs_max_bytes, clock)
    else:
        from whisper_runtime.service.batches.shared_store import SharedBatchStore
        from whisper_runtime.service.jobs.shared_store import SharedJobStore

        assert isinstance(jobs.store, SharedJobStore)
        store = SharedBatchStore(jobs.store.verbs, jobs.store.contents)
        clock = store.clock
    workplace = BatchWorkplace(store, jobs, parts.admission, dialect, config.max_audio_seconds, clock)
    runner = BatchRunner(workplace)
    parts.metrics.registry.register(BatchCollector(lambda: runner.live, workplace.answered))
    return BatchDoor(store, runner, jobs.outbox, config.jobs_result_seconds)


def _of_directory(directory: str, jobs: SqliteJobStore, max_bytes: int, clock: Callable[[], float]) -> SqliteBatchStore:
    try:
        return SqliteBatchStore(jobs, Path(directory), max_bytes=max_bytes, clock=clock)
    except (OSError, sqlite3.Error) as error:
        raise CannotKeepJobs(
            f"WHISPER_JOBS_DIR is {directory}, where no file can be kept ({error}): mount a writable volume there"
        ) from None
