"""A job as SQLite's table has it: its row, its size, the names of its files; pure."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import fields
from typing import Any, Final

from whisper_runtime.service.jobs.job import Job, JobDraft, JobLease

ROW_BYTES: Final = 4096
"""What a job takes on the disk without its files, at least."""
RESULT_BYTES_PER_SECOND: Final = 512
"""Room that is kept for a result, for each second of audio: with the times of words it has a half of that."""

DISK_FULL: Final = (
    "The disk of the server's store of jobs is full, so nothing was changed: send this again when there is room."
)


def values_of(draft: JobDraft) -> dict[str, Any]:
    """The columns that come from the client."""
    values = {field.name: getattr(draft, field.name) for field in fields(JobDraft)}
    return values | {"metadata": json.dumps(dict(draft.metadata))}


def job_of(row: sqlite3.Row) -> Job:
    """The job in a row of the table."""
    values = {field.name: row[field.name] for field in fields(Job)}
    error = row["error"] and json.loads(row["error"])
    return Job(**(values | {"metadata": json.loads(row["metadata"]), "error": error}))


def size_of(draft: JobDraft, audio_bytes: int, result_bytes: int | None = None) -> int:
    """Bytes that a job takes of the store; `result_bytes` None: it has no result yet, for which room is kept.

    A URL is kept with the job, and with each of its two events.
    """
    if result_bytes is None:
        result_bytes = int(draft.audio_seconds * RESULT_BYTES_PER_SECOND)
    return ROW_BYTES + len(draft.request) + 3 * len(draft.webhook_url or "") + audio_bytes + result_bytes


def audio_name(job_id: str) -> str:
    return f"{job_id}.audio"


def result_name(lease: JobLease) -> str:
    """Two workers that both believe that they have the job write two files."""
    return f"{lease.job_id}.{lease.token}.json"
