"""Makes many jobs of one in the store of a server that has ended: rows by SQL, files as links."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from whisper_runtime.service.jobs.files import FILES
from whisper_runtime.service.jobs.sqlite_store import DATABASE

LINKS: Final = 50_000
"""A file of ext4 has at most 65,000 names."""
COLUMNS: Final = "SELECT name FROM pragma_table_info('jobs') WHERE name NOT IN ('seq', 'id')"
COPY: Final = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :copies)
INSERT INTO jobs (id, {columns})
SELECT 'tr_' || lower(hex(randomblob(16))), {columns} FROM jobs, numbers WHERE id = :id
"""


def multiply(directory: Path, job_id: str, copies: int) -> list[str]:
    """Copies that job, which has no idempotency key, so often; returns the ids of all of them."""
    jobs = directory / "jobs"
    with closing(sqlite3.connect(jobs / DATABASE)) as connection:
        columns = ", ".join(name for (name,) in connection.execute(COLUMNS))
        connection.execute(COPY.format(columns=columns), {"copies": copies, "id": job_id})
        connection.commit()
        ids = [found for (found,) in connection.execute("SELECT id FROM jobs")]
    (file,) = (one for one in (jobs / FILES).iterdir() if one.name.startswith(job_id))
    ending = file.name.removeprefix(job_id)
    for number, name in enumerate(one for one in ids if one != job_id):
        if number % LINKS == LINKS - 1:
            file = Path(shutil.copy(file, file.with_name(f"{name}{ending}")))
        else:
            os.link(file, jobs / FILES / f"{name}{ending}")
    return ids
