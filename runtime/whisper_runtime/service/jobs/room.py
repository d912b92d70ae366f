"""The bytes that a store of jobs has left, for all of its clients and for each."""

from __future__ import annotations

import sqlite3

from whisper_runtime.service.jobs import statements as sql
from whisper_runtime.service.jobs.job import JobStoreFull


def used_bytes(connection: sqlite3.Connection) -> int:
    """Bytes that all jobs and files in this database take."""
    return int(connection.execute(sql.USED).fetchone()[0])


def check_room(connection: sqlite3.Connection, client: str, size: int, max_bytes: int) -> None:
    """Raises JobStoreFull where there is no room for `size` bytes, or no more for the client than it leaves.

    A client of which nothing is there may take all that is free.
    """
    used = used_bytes(connection)
    if (left := max_bytes - used - size) < 0:
        raise full(used, max_bytes)
    (held,) = connection.execute(sql.USED_BY, {"client": client}).fetchone()
    if held and held + size > left:
        raise share_full(int(held), max_bytes)


def full(used: int, max_bytes: int) -> JobStoreFull:
    return JobStoreFull(
        f"The server's store of jobs is full ({used} of {max_bytes} bytes are in use): delete jobs and "
        "files that you need no more, or send this one again when others have ended."
    )


def share_full(held: int, max_bytes: int) -> JobStoreFull:
    return JobStoreFull(
        f"Your jobs take {held} of the {max_bytes} bytes of the server's store, files included, and may take no more "
        "than they leave to others: delete jobs and files that you need no more, or send this one again when others "
        "have ended."
    )
