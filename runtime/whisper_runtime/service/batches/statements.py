"""The SQL of files and batches in SQLite, beside the table of jobs: their tables, and each statement by name."""

from __future__ import annotations

from typing import Final


def _counted(table: str) -> tuple[str, ...]:
    """Triggers that count a table's bytes with those of jobs, in the store's total and in its client's share."""
    add = f"""
        INSERT INTO totals VALUES ('{table}', 0, 0, NEW.bytes) ON CONFLICT DO UPDATE SET bytes = bytes + NEW.bytes;
        INSERT INTO clients VALUES (NEW.client, NEW.bytes) ON CONFLICT DO UPDATE SET bytes = bytes + NEW.bytes;
    """
    remove = f"""
        UPDATE totals SET bytes = bytes - OLD.bytes WHERE state = '{table}';
        UPDATE clients SET bytes = bytes - OLD.bytes WHERE client = OLD.client;
    """
    return (
        f"CREATE TRIGGER IF NOT EXISTS {table}_counted AFTER INSERT ON {table} BEGIN {add} END",
        f"CREATE TRIGGER IF NOT EXISTS {table}_counted_again AFTER UPDATE OF bytes ON {table} BEGIN {remove} {add} END",
        f"""CREATE TRIGGER IF NOT EXISTS {table}_not_counted AFTER DELETE ON {table} BEGIN {remove}
            DELETE FROM clients WHERE client = OLD.client AND bytes = 0;
        END""",
    )


SCHEMA: Final = (
    """
    CREATE TABLE IF NOT EXISTS files (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        client TEXT NOT NULL,
        purpose TEXT NOT NULL,
        filename TEXT NOT NULL,
        size INTEGER NOT NULL,
        created REAL NOT NULL,
        expires REAL NOT NULL,
        bytes INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS files_of_client ON files (client, seq)",
    "CREATE INDEX IF NOT EXISTS files_of_purpose ON files (client, purpose, seq)",
    "CREATE INDEX IF NOT EXISTS files_by_expiry ON files (expires)",
    """
    CREATE TABLE IF NOT EXISTS batches (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        client TEXT NOT NULL,
        state TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        input_file TEXT NOT NULL,
        window TEXT NOT NULL,
        window_seconds REAL NOT NULL,
        keep_seconds REAL NOT NULL,
        metadata TEXT NOT NULL,
        webhook_url TEXT,
        created REAL NOT NULL,
        expires REAL NOT NULL,
        began REAL,
        finalizing REAL,
        cancelling REAL,
        ended REAL,
        forgotten REAL,
        total INTEGER NOT NULL DEFAULT 0,
        completed INTEGER NOT NULL DEFAULT 0,
        failed INTEGER NOT NULL DEFAULT 0,
        output_file TEXT,
        error_file TEXT,
        faults TEXT NOT NULL DEFAULT '[]',
        losses INTEGER NOT NULL DEFAULT 0,
        outcome TEXT NOT NULL DEFAULT 'completed',
        tried_line INTEGER,
        tried_losses INTEGER NOT NULL DEFAULT 0,
        tries INTEGER NOT NULL DEFAULT 0,
        token INTEGER NOT NULL DEFAULT 0,
        lease_ends REAL,
        bytes INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS batches_of_client ON batches (client, seq)",
    "CREATE INDEX IF NOT EXISTS live_batches ON batches (seq) WHERE ended IS NULL",
    "CREATE INDEX IF NOT EXISTS leased_batches ON batches (client, lease_ends) WHERE ended IS NULL",
    "CREATE INDEX IF NOT EXISTS files_in_use ON batches (input_file) WHERE ended IS NULL",
    "CREATE INDEX IF NOT EXISTS batches_by_expiry ON batches (forgotten) WHERE forgotten IS NOT NULL",
    """
    CREATE TABLE IF NOT EXISTS batch_answers (
        batch TEXT NOT NULL, line INTEGER NOT NULL, is_error INTEGER NOT NULL, text TEXT NOT NULL
    ) STRICT
    """,
    "CREATE UNIQUE INDEX IF NOT EXISTS answers_of_batch ON batch_answers (batch, line)",
    "CREATE UNIQUE INDEX IF NOT EXISTS answers_of_kind ON batch_answers (batch, is_error, line)",
    """
    CREATE TRIGGER IF NOT EXISTS batch_ended AFTER UPDATE OF ended ON batches
    WHEN NEW.webhook_url IS NOT NULL AND OLD.ended IS NULL AND NEW.ended IS NOT NULL
    BEGIN
        INSERT INTO deliveries (event_id, job_id, client, type, url, created, due) VALUES (
            'evt_' || lower(hex(randomblob(16))), NEW.id, NEW.client, 'batch.' || NEW.state, NEW.webhook_url,
            NEW.ended, NEW.ended
        );
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS batch_forgotten AFTER DELETE ON batches BEGIN
        DELETE FROM deliveries WHERE job_id = OLD.id;
    END
    """,
    *_counted("files"),
    *_counted("batches"),
)

INSERT_FILE: Final = """
INSERT INTO files (id, client, purpose, filename, size, created, expires, bytes)
VALUES (:id, :client, :purpose, :filename, :size, :now, :now + :keep_seconds, :bytes)
"""
FILE: Final = "SELECT * FROM files WHERE id = :id"
NEWER_FILES: Final = "SELECT * FROM files WHERE client = :client AND seq > :seq ORDER BY seq LIMIT :limit"
OLDER_FILES: Final = "SELECT * FROM files WHERE client = :client AND seq < :seq ORDER BY seq DESC LIMIT :limit"
NEWER_FILES_OF_PURPOSE: Final = """
SELECT * FROM files WHERE client = :client AND purpose = :purpose AND seq > :seq ORDER BY seq LIMIT :limit
"""
OLDER_FILES_OF_PURPOSE: Final = """
SELECT * FROM files WHERE client = :client AND purpose = :purpose AND seq < :seq ORDER BY seq DESC LIMIT :limit
"""
IN_USE: Final = "SELECT id FROM batches WHERE input_file = :id AND ended IS NULL LIMIT 1"
DELETE_FILE: Final = "DELETE FROM files WHERE id = :id"
EXPIRED_FILES: Final = """
SELECT id FROM files WHERE expires <= :now
    AND NOT EXISTS (SELECT 1 FROM batches WHERE input_file = files.id AND ended IS NULL) LIMIT 1000
"""
ALL_FILES: Final = "SELECT id FROM files"
"""Read once, at the start."""

INSERT_BATCH: Final = """
INSERT INTO batches (id, client, state, endpoint, input_file, window, window_seconds, keep_seconds, metadata,
    webhook_url, created, expires, bytes)
VALUES (:id, :client, 'validating', :endpoint, :input_file, :window, :window_seconds, :keep_seconds, :metadata,
    :webhook_url, :now, :now + :window_seconds, :bytes)
"""
BATCH: Final = "SELECT * FROM batches WHERE id = :id"
OLDER_BATCHES: Final = "SELECT * FROM batches WHERE client = :client AND seq < :seq ORDER BY seq DESC LIMIT :limit"
CANCEL_BATCH: Final = """
UPDATE batches SET state = 'cancelling', cancelling = :now WHERE id = :id AND state IN ('validating', 'in_progress')
"""
NEXT_BATCH: Final = """
SELECT * FROM batches WHERE ended IS NULL AND (lease_ends IS NULL OR lease_ends <= :now)
    AND (SELECT COUNT(*) FROM batches AS other
        WHERE other.client = batches.client AND other.ended IS NULL AND other.lease_ends > :now) < :most
ORDER BY seq LIMIT 1
"""
BOUND_LEASES: Final = "UPDATE batches SET lease_ends = :latest WHERE ended IS NULL AND lease_ends > :latest"
CLAIM_BATCH: Final = """
UPDATE batches SET token = token + 1, losses = losses + (lease_ends IS NOT NULL), lease_ends = :lease_ends
WHERE id = :id RETURNING *
"""
HELD: Final = "SELECT * FROM batches WHERE id = :id AND token = :token AND lease_ends IS NOT NULL AND ended IS NULL"
RENEW_BATCH: Final = "UPDATE batches SET lease_ends = :lease_ends WHERE id = :id"
HAND_BACK_BATCH: Final = "UPDATE batches SET lease_ends = NULL WHERE id = :id"
REFUSE: Final = """
UPDATE batches SET state = 'failed', faults = :faults, ended = :now, forgotten = :now + keep_seconds, lease_ends = NULL,
    bytes = :bytes WHERE id = :id AND state <> 'cancelling'
"""
BEGIN_BATCH: Final = """
UPDATE batches SET total = :total, began = :now,
    state = CASE state WHEN 'validating' THEN 'in_progress' ELSE state END WHERE id = :id
"""
NOTE_TRY: Final = """
UPDATE batches SET tries = CASE tried_line WHEN :line THEN tries + (tried_losses < losses) ELSE 1 END,
    tried_line = :line, tried_losses = losses WHERE id = :id RETURNING tries
"""
INSERT_ANSWER: Final = "INSERT INTO batch_answers VALUES (:id, :line, :is_error, :text) ON CONFLICT DO NOTHING"
COUNT_ANSWERS: Final = """
UPDATE batches SET completed = completed + :completed, failed = failed + :failed, bytes = bytes + :bytes WHERE id = :id
"""
LIVE_BATCHES: Final = "SELECT state FROM batches WHERE ended IS NULL"
ANSWERED: Final = "SELECT line FROM batch_answers WHERE batch = :id"
ANSWERS: Final = """
SELECT line, text FROM batch_answers WHERE batch = :id AND is_error = :is_error AND line > :after ORDER BY line
LIMIT :limit
"""
FINALIZE: Final = """
UPDATE batches SET state = 'finalizing', finalizing = :now, outcome = :outcome
WHERE id = :id AND state = 'in_progress'
"""
FINISH_BATCH: Final = """
UPDATE batches SET state = CASE state WHEN 'cancelling' THEN 'cancelled' ELSE outcome END, ended = :now,
    forgotten = :now + keep_seconds, lease_ends = NULL, output_file = :output_file, error_file = :error_file,
    bytes = :bytes WHERE id = :id
"""
DELETE_ANSWERS: Final = "DELETE FROM batch_answers WHERE batch = :id"
FORGET_BATCHES: Final = """
DELETE FROM batches WHERE seq IN (SELECT seq FROM batches WHERE forgotten <= :now LIMIT 1000)
"""
