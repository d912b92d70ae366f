"""The table of files in SQLite. Every method blocks, and is one transaction, which is on the disk when it returns."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Final

from whisper_runtime.service.batches import statements as sql
from whisper_runtime.service.batches.file import FileDraft, FileInUse, FilePage, FilePurpose, NoSuchFile, StoredFile
from whisper_runtime.service.jobs.connection import transaction
from whisper_runtime.service.jobs.room import check_room

FILE_BYTES: Final = 4096
"""What a file takes on the disk beside its content, at least."""


class FileTable:
    """Use it in the thread of the jobs' database."""

    def __init__(self, connection: sqlite3.Connection, max_bytes: int, clock: Callable[[], float]) -> None:
        """`connection` is the jobs' database's, `max_bytes` the store's, of jobs and files together."""
        self._connection, self._max_bytes, self._clock = connection, max_bytes, clock

    def check_room(self, client: str, size: int) -> None:
        """Raises JobStoreFull where there is no room for a file of so many bytes."""
        check_room(self._connection, client, FILE_BYTES + size, self._max_bytes)

    def insert(self, draft: FileDraft, file_id: str, size: int) -> StoredFile:
        """Raises JobStoreFull."""
        with transaction(self._connection):
            self.check_room(draft.client, size)
            return self.add(draft, file_id, size)

    def add(self, draft: FileDraft, file_id: str, size: int) -> StoredFile:
        """As `insert`, within the transaction of the caller, and whether there is room or not."""
        values = vars(draft) | {"id": file_id, "size": size, "now": self._clock(), "bytes": FILE_BYTES + size}
        self._connection.execute(sql.INSERT_FILE, values)
        return self.get(draft.client, file_id)

    def get(self, client: str, file_id: str) -> StoredFile:
        """Raises NoSuchFile."""
        return _file(self._row(client, file_id))

    def page(
        self, client: str, after: str | None, limit: int, purpose: FilePurpose | None, oldest_first: bool
    ) -> FilePage:
        """Raises NoSuchFile where `after` is none of the client's."""
        seq = (0 if oldest_first else 1 << 62) if after is None else self._row(client, after)["seq"]
        values: dict[str, Any] = {"client": client, "seq": seq, "purpose": purpose, "limit": limit + 1}
        if purpose is None:
            statement = sql.NEWER_FILES if oldest_first else sql.OLDER_FILES
        else:
            statement = sql.NEWER_FILES_OF_PURPOSE if oldest_first else sql.OLDER_FILES_OF_PURPOSE
        rows = self._connection.execute(statement, values).fetchall()
        return FilePage(tuple(map(_file, rows[:limit])), has_more=len(rows) > limit)

    def delete(self, client: str, file_id: str) -> None:
        """Raises NoSuchFile, FileInUse."""
        with transaction(self._connection):
            self._row(client, file_id)
            if batch := self._connection.execute(sql.IN_USE, {"id": file_id}).fetchone():
                raise FileInUse(batch["id"])
            self._connection.execute(sql.DELETE_FILE, {"id": file_id})

    def expire(self) -> list[str]:
        """Deletes files that are old enough, some of them at a time; returns their ids."""
        with transaction(self._connection):
            found = [row["id"] for row in self._connection.execute(sql.EXPIRED_FILES, {"now": self._clock()})]
            self._connection.executemany(sql.DELETE_FILE, [{"id": one} for one in found])
        return found

    def forget(self, file_id: str) -> None:
        """Deletes the row of a file whose content is lost."""
        with transaction(self._connection):
            self._connection.execute(sql.DELETE_FILE, {"id": file_id})

    def ids(self) -> set[str]:
        """Of all files."""
        return {row["id"] for row in self._connection.execute(sql.ALL_FILES)}

    def _row(self, client: str, file_id: str) -> sqlite3.Row:
        row = self._connection.execute(sql.FILE, {"id": file_id}).fetchone()
        if row is None or row["client"] != client:
            raise NoSuchFile(file_id)
        return row


def _file(row: sqlite3.Row) -> StoredFile:
    names = ("id", "client", "purpose", "filename", "size", "created", "expires")
    return StoredFile(**{name: row[name] for name in names})
