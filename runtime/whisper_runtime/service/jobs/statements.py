"""The SQL of the store in SQLite: its tables, and each statement by name. No statement reads all jobs."""

from __future__ import annotations

from typing import Final

from whisper_runtime.service.jobs.outbox_statements import OUTBOX_SCHEMA
from whisper_runtime.service.jobs.queued_audio import QUEUED_AUDIO_SCHEMA

VERSION: Final = 3
"""PRAGMA user_version of a database with this schema."""

SCHEMA: Final = (
    """
    CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        client TEXT NOT NULL,
        state TEXT NOT NULL,
        request TEXT NOT NULL,
        metadata TEXT NOT NULL,
        audio_seconds REAL NOT NULL,
        done_seconds REAL NOT NULL DEFAULT 0,
        idempotency_key TEXT,
        body_digest TEXT NOT NULL,
        created REAL NOT NULL,
        started REAL,
        ended REAL,
        expires REAL,
        attempt INTEGER NOT NULL DEFAULT 0,
        token INTEGER NOT NULL DEFAULT 0,
        lease_ends REAL,
        error TEXT,
        model TEXT,
        webhook_url TEXT,
        turn REAL NOT NULL,
        turn_end REAL NOT NULL,
        bytes INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX in_turn ON jobs (state, turn, seq, audio_seconds)",
    "CREATE INDEX of_client ON jobs (client, seq) WHERE state <> 'deleted'",
    "CREATE INDEX of_client_in_state ON jobs (client, state, seq)",
    "CREATE INDEX turns_of_client ON jobs (client, state, turn_end)",
    "CREATE INDEX by_lease ON jobs (state, lease_ends)",
    "CREATE INDEX by_age ON jobs (state, created)",
    "CREATE INDEX by_expiry ON jobs (expires) WHERE expires IS NOT NULL",
    "CREATE UNIQUE INDEX by_key ON jobs (client, idempotency_key) WHERE idempotency_key IS NOT NULL",
    """
    CREATE TABLE totals (
        state TEXT PRIMARY KEY, jobs INTEGER NOT NULL, audio_seconds REAL NOT NULL, bytes INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "CREATE TABLE clients (client TEXT PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE clock (turn REAL NOT NULL) STRICT",
    "INSERT INTO clock VALUES (0)",
    """
    CREATE TRIGGER counted AFTER INSERT ON jobs BEGIN
        INSERT INTO totals VALUES (NEW.state, 1, NEW.audio_seconds, NEW.bytes) ON CONFLICT DO UPDATE
            SET jobs = jobs + 1, audio_seconds = audio_seconds + NEW.audio_seconds, bytes = bytes + NEW.bytes;
        INSERT INTO clients VALUES (NEW.client, NEW.bytes) ON CONFLICT DO UPDATE SET bytes = bytes + NEW.bytes;
    END
    """,
    """
    CREATE TRIGGER counted_again AFTER UPDATE OF state, bytes ON jobs BEGIN
        UPDATE totals SET jobs = jobs - 1, audio_seconds = audio_seconds - OLD.audio_seconds, bytes = bytes - OLD.bytes
            WHERE state = OLD.state;
        INSERT INTO totals VALUES (NEW.state, 1, NEW.audio_seconds, NEW.bytes) ON CONFLICT DO UPDATE
            SET jobs = jobs + 1, audio_seconds = audio_seconds + NEW.audio_seconds, bytes = bytes + NEW.bytes;
        UPDATE clients SET bytes = bytes - OLD.bytes WHERE client = OLD.client;
        INSERT INTO clients VALUES (NEW.client, NEW.bytes) ON CONFLICT DO UPDATE SET bytes = bytes + NEW.bytes;
    END
    """,
    """
    CREATE TRIGGER not_counted AFTER DELETE ON jobs BEGIN
        UPDATE totals SET jobs = jobs - 1, audio_seconds = audio_seconds - OLD.audio_seconds, bytes = bytes - OLD.bytes
            WHERE state = OLD.state;
        UPDATE clients SET bytes = bytes - OLD.bytes WHERE client = OLD.client;
        DELETE FROM clients WHERE client = OLD.client AND bytes = 0;
    END
    """,
    *QUEUED_AUDIO_SCHEMA,
    *OUTBOX_SCHEMA,
    f"PRAGMA user_version = {VERSION}",
)
"""`turn` and `turn_end` are start-time fair queueing's tags, in seconds of audio: ADR 39."""

INSERT: Final = """
INSERT INTO jobs (id, client, state, request, metadata, audio_seconds, idempotency_key, body_digest, webhook_url,
    created, turn, turn_end, bytes)
VALUES (:id, :client, 'queued', :request, :metadata, :audio_seconds, :idempotency_key, :body_digest,
    :webhook_url, :now, :turn, :turn + :audio_seconds, :bytes)
"""
BY_ID: Final = "SELECT * FROM jobs WHERE id = :id"
FIND: Final = """
SELECT * FROM jobs WHERE id IN (SELECT value FROM json_each(:ids)) AND client = :client AND state <> 'deleted'
"""
BY_KEY: Final = "SELECT * FROM jobs WHERE client = :client AND idempotency_key = :key"
MADE_BY: Final = """
SELECT * FROM jobs
WHERE client = :client AND idempotency_key IN (SELECT value FROM json_each(:keys)) AND body_digest = :digest
"""
LAST_TURN: Final = "SELECT MAX(turn_end) FROM jobs WHERE client = :client AND state = :state"
CLOCK: Final = "SELECT turn FROM clock"
SET_CLOCK: Final = "UPDATE clock SET turn = MAX(turn, :turn)"
USED: Final = "SELECT TOTAL(bytes) FROM totals"
USED_BY: Final = "SELECT TOTAL(bytes) FROM clients WHERE client = :client"
TOTALS: Final = "SELECT state, jobs, audio_seconds FROM totals"
OLDEST: Final = "SELECT MIN(created) FROM jobs WHERE state = 'queued'"
OLDER: Final = """
SELECT * FROM jobs WHERE client = :client AND seq < :seq AND state <> 'deleted' ORDER BY seq DESC LIMIT :limit
"""
OLDER_IN_STATE: Final = """
SELECT * FROM jobs WHERE client = :client AND state = :state AND seq < :seq ORDER BY seq DESC LIMIT :limit
"""
AHEAD: Final = """
SELECT SUM(jobs), TOTAL(seconds) FROM (
    SELECT COUNT(*) AS jobs, TOTAL(audio_seconds) AS seconds FROM jobs WHERE state = 'queued' AND turn < :turn
    UNION ALL
    SELECT COUNT(*), TOTAL(audio_seconds) FROM jobs WHERE state = 'queued' AND turn = :turn AND seq < :seq)
"""
"""In two parts, each a range of the index in_turn: of (turn, seq) < (:turn, :seq) SQLite looks up the turn alone, and
reads all jobs that have the same one."""
NEXT: Final = "SELECT * FROM jobs WHERE state = 'queued' ORDER BY turn, seq LIMIT 1"
RUN_OUT: Final = "SELECT * FROM jobs WHERE state = 'in_progress' AND lease_ends <= :now"
BOUND_LEASES: Final = "UPDATE jobs SET lease_ends = :latest WHERE state = 'in_progress' AND lease_ends > :latest"
CLAIM: Final = """
UPDATE jobs SET state = 'in_progress', token = token + 1, attempt = attempt + 1, lease_ends = :lease_ends,
    started = IFNULL(started, :now), done_seconds = 0, model = :model
WHERE id = :id RETURNING *
"""
RENEW: Final = """
UPDATE jobs SET lease_ends = :lease_ends, done_seconds = :done_seconds
WHERE id = :id AND token = :token AND state = 'in_progress'
"""
QUEUE_AGAIN: Final = """
UPDATE jobs SET state = 'queued', lease_ends = NULL, done_seconds = 0, attempt = attempt - :not_counted, model = NULL
WHERE id = :id AND token = :token AND state = 'in_progress'
"""
COMPLETE: Final = """
UPDATE jobs SET state = 'completed', lease_ends = NULL, done_seconds = audio_seconds, ended = :now, expires = :expires,
    bytes = :bytes
WHERE id = :id AND token = :token AND state = 'in_progress'
"""
FAIL: Final = """
UPDATE jobs SET state = 'failed', lease_ends = NULL, error = :error, ended = :now, expires = :expires, bytes = :bytes
WHERE id = :id AND token = :token AND state = :state
"""
CANCEL: Final = """
UPDATE jobs SET state = 'cancelled', lease_ends = NULL, ended = :now, expires = :expires, bytes = :bytes
WHERE id = :id AND state IN ('queued', 'in_progress')
"""
DELETE: Final = """
UPDATE jobs SET state = 'deleted', lease_ends = NULL, request = '', metadata = '{}', error = NULL,
    idempotency_key = NULL, body_digest = '', webhook_url = NULL, expires = :expires, bytes = :bytes
WHERE id = :id
"""
EXPIRED: Final = "SELECT * FROM jobs WHERE expires <= :now LIMIT 1000"
EXPIRE: Final = """
UPDATE jobs SET state = 'expired', idempotency_key = NULL, expires = :expires, bytes = :bytes WHERE id = :id
"""
FORGET: Final = "DELETE FROM jobs WHERE id = :id"
WITH_FILE: Final = "SELECT id, state, token FROM jobs WHERE state IN ('queued', 'in_progress', 'completed')"
"""Read once, at the start."""
