"""Opens the jobs of a process: their store, their worker and their door."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from whisper_runtime.service.jobs.collector import JobCollector
from whisper_runtime.service.jobs.content import AudioCodec
from whisper_runtime.service.jobs.door import JobDoor
from whisper_runtime.service.jobs.sqlite_store import SqliteJobStore, is_disk_full
from whisper_runtime.service.jobs.worker import JobWorker
from whisper_runtime.service.parts import RuntimeParts


class CannotKeepJobs(Exception):
    """The directory of jobs cannot be used; the message names it, and the remedy."""


def open_jobs(directory: str, parts: RuntimeParts, codec: AudioCodec) -> JobDoor:
    """The jobs in `directory`, which the parts' engine transcribes while the worker runs; blocks.

    Raises CannotKeepJobs.
    """
    config = parts.config
    try:
        store = SqliteJobStore(
            Path(directory),
            max_bytes=config.jobs_max_bytes,
            keep_seconds=config.jobs_result_seconds,
            max_queued_seconds=config.jobs_max_queued_audio_seconds,
        )
    except (OSError, sqlite3.Error) as error:
        remedy = "mount a writable volume there that is not a network file system"
        if is_disk_full(error):
            remedy = "make room on its disk, which is full"
        raise CannotKeepJobs(f"WHISPER_JOBS_DIR is {directory}, where no job can be kept ({error}): {remedy}") from None
    worker = JobWorker(
        store,
        codec.read,
        parts.engine,
        parts.model,
        parts.admission.disk,
        parts.metrics,
        most_audio_seconds=config.max_audio_seconds,
    )
    collector = JobCollector(lambda: worker.statistics, lambda: worker.progress_seconds, config.jobs_max_bytes)
    parts.metrics.registry.register(collector)
    return JobDoor(store, worker, parts.transcriber, codec.keep, parts.engine, parts.lifecycle)
