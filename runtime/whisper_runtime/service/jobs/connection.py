"""A connection to SQLite whose transactions are on the disk when they end."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from whisper_runtime.service.jobs import statements as sql

BUSY_SECONDS: Final = 30.0
"""For so long another process may hold the database."""
SETTINGS: Final = ("journal_mode = WAL", "synchronous = FULL", "secure_delete = ON")


def connect(path: Path) -> sqlite3.Connection:
    """Opens the database, and makes its tables where it has none; from one thread at a time.

    Raises sqlite3.Error where it cannot, or where the tables are another version's.
    """
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        for setting in SETTINGS:
            connection.execute(f"PRAGMA {setting}")
        with transaction(connection):
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, sql.VERSION):
                raise sqlite3.DatabaseError(f"{path} has version {version} of the tables, and this is {sql.VERSION}")
            for statement in sql.SCHEMA if version == 0 else ():
                connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def make_tables(connection: sqlite3.Connection, statements: Iterable[str]) -> None:
    """Makes what is not there yet, of tables that lie beside those of jobs; each statement says IF NOT EXISTS."""
    with transaction(connection):
        for statement in statements:
            connection.execute(statement)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[None]:
    """Commits at the end of the block; what that raises undoes all of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
