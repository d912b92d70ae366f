"""Seconds of audio that each client has queued, kept by triggers: no statement reads all jobs of a client."""

from __future__ import annotations

import sqlite3
from typing import Final

from whisper_runtime.service.jobs.job import JobQuotaReached

QUEUED_AUDIO_SCHEMA: Final = (
    """
    CREATE TABLE queued_audio (client TEXT PRIMARY KEY, jobs INTEGER NOT NULL, audio_seconds REAL NOT NULL)
    STRICT, WITHOUT ROWID
    """,
    """
    CREATE TRIGGER queued_first AFTER INSERT ON jobs WHEN NEW.state = 'queued' BEGIN
        INSERT INTO queued_audio VALUES (NEW.client, 1, NEW.audio_seconds) ON CONFLICT DO UPDATE
            SET jobs = jobs + 1, audio_seconds = audio_seconds + NEW.audio_seconds;
    END
    """,
    """
    CREATE TRIGGER queued_again AFTER UPDATE OF state ON jobs WHEN NEW.state = 'queued' AND OLD.state <> 'queued' BEGIN
        INSERT INTO queued_audio VALUES (NEW.client, 1, NEW.audio_seconds) ON CONFLICT DO UPDATE
            SET jobs = jobs + 1, audio_seconds = audio_seconds + NEW.audio_seconds;
    END
    """,
    """
    CREATE TRIGGER not_queued AFTER UPDATE OF state ON jobs WHEN NEW.state <> 'queued' AND OLD.state = 'queued' BEGIN
        UPDATE queued_audio SET jobs = jobs - 1, audio_seconds = audio_seconds - OLD.audio_seconds
            WHERE client = OLD.client;
        DELETE FROM queued_audio WHERE client = OLD.client AND jobs = 0;
    END
    """,
)
"""A row goes with its client's last queued job, and what rounding has left of its seconds goes with it."""
OF_CLIENT: Final = "SELECT audio_seconds FROM queued_audio WHERE client = :client"


def check_quota(connection: sqlite3.Connection, client: str, seconds: float, limit: float | None) -> None:
    """Raises JobQuotaReached where the client may not queue `seconds` of audio beside what it has queued.

    A client that has none may queue any job. `limit` None: there is none.
    """
    if limit is None:
        return
    row = connection.execute(OF_CLIENT, {"client": client}).fetchone()
    if row is not None and (row["audio_seconds"] >= limit or row["audio_seconds"] + seconds > limit):
        raise JobQuotaReached(row["audio_seconds"], limit, row["audio_seconds"] + seconds - limit)
