"""The SQL of the outbox in SQLite: a table beside that of jobs, which triggers fill, and each statement by name."""

from __future__ import annotations

from typing import Final

OUTBOX_SCHEMA: Final = (
    """
    CREATE TABLE deliveries (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        event_id TEXT NOT NULL UNIQUE,
        job_id TEXT NOT NULL,
        client TEXT NOT NULL,
        type TEXT NOT NULL,
        url TEXT NOT NULL,
        created REAL NOT NULL,
        state TEXT NOT NULL DEFAULT 'pending',
        attempt INTEGER NOT NULL DEFAULT 0,
        due REAL NOT NULL,
        failure TEXT
    ) STRICT
    """,
    "CREATE INDEX deliveries_due ON deliveries (due) WHERE state = 'pending'",
    "CREATE INDEX deliveries_of_job ON deliveries (job_id, seq)",
    """
    CREATE TRIGGER job_ended AFTER UPDATE OF state ON jobs
    WHEN NEW.webhook_url IS NOT NULL AND NEW.state <> OLD.state
        AND NEW.state IN ('completed', 'failed', 'cancelled', 'expired')
    BEGIN
        INSERT INTO deliveries (event_id, job_id, client, type, url, created, due) VALUES (
            'evt_' || lower(hex(randomblob(16))), NEW.id, NEW.client, 'transcription.' || NEW.state, NEW.webhook_url,
            iif(NEW.state = 'expired', OLD.expires, NEW.ended), iif(NEW.state = 'expired', OLD.expires, NEW.ended)
        );
    END
    """,
    """
    CREATE TRIGGER job_deleted AFTER UPDATE OF state ON jobs WHEN NEW.state = 'deleted' BEGIN
        DELETE FROM deliveries WHERE job_id = NEW.id;
    END
    """,
    """
    CREATE TRIGGER job_forgotten AFTER DELETE ON jobs BEGIN
        DELETE FROM deliveries WHERE job_id = OLD.id;
    END
    """,
)

ANY_DUE: Final = """
SELECT event_id FROM deliveries WHERE state = 'pending' AND due <= :now
    AND client NOT IN (SELECT value FROM json_each(:busy))
ORDER BY due LIMIT 1
"""
CLAIM: Final = """
UPDATE deliveries SET attempt = attempt + 1, due = :until WHERE event_id = :event_id RETURNING *
"""
NOTE: Final = """
UPDATE deliveries SET state = :state, due = :due, failure = :failure
WHERE event_id = :event_id AND attempt = :attempt AND state = 'pending'
"""
LATEST: Final = "SELECT * FROM deliveries WHERE job_id = :job_id ORDER BY seq DESC LIMIT 1"
