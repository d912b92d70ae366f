"""What a store must be like once all jobs are deleted and the server has ended; each raises AssertionError."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from testbed.store_server import StoreServer
from whisper_runtime.service.jobs.sqlite_store import DATABASE, FILES

FOLDERS: Final = (FILES, "batches/files")
CONTENTS: Final = (":audio", ":result", ":content")
COUNTED: Final = "SELECT state, jobs, bytes FROM totals WHERE jobs <> 0 ORDER BY state"
PRESENT: Final = "SELECT state, count(*), sum(bytes) FROM jobs GROUP BY state ORDER BY state"
UNDER_WAY: Final = "SELECT id, state FROM jobs WHERE state IN ('queued', 'in_progress')"


def check_directory(jobs: Path) -> None:
    """No file is left, no job is under way, what is counted is what is there, and the database is sound."""
    left = [str(file) for folder in FOLDERS for file in (jobs / folder).iterdir()]
    assert not left, left
    with closing(sqlite3.connect(jobs / DATABASE)) as connection:
        assert not (live := connection.execute(UNDER_WAY).fetchall()), live
        counted, present = connection.execute(COUNTED).fetchall(), connection.execute(PRESENT).fetchall()
        assert counted == present, (counted, present)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def check_shared(server: StoreServer, prefix: str) -> None:
    """No recording, result or file is left, nothing is under way, and what is counted is what is there."""
    keys = [key.decode().removeprefix(prefix) for key in server.ask("KEYS", f"{prefix}*")]
    assert not (left := [key for key in keys if key.endswith(CONTENTS) or key.startswith("file:")]), left
    for name in ("jobs:queue", "jobs:waiting", "jobs:leases", "batches:waiting", "batches:leases"):
        assert server.ask("ZCARD", f"{prefix}{name}") == 0, name
    hashes = [key for key in keys if key.startswith(("job:", "batch:")) and key.count(":") == 1]
    present = sum(int(server.ask("HGET", f"{prefix}{key}", "bytes")) for key in hashes)
    counted = int(float(server.ask("HGET", f"{prefix}jobs:totals", "bytes") or 0))
    assert counted == present, (counted, present)
