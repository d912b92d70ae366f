"""The tables of batches and their answers in SQLite; as FileTable is that of files."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Final

from whisper_runtime.service.batches import statements as sql
from whisper_runtime.service.batches.batch import (
    BatchDraft,
    BatchLease,
    BatchLeaseLost,
    BatchPage,
    BatchState,
    ClaimedBatch,
    LineAnswer,
    LineFault,
    NoSuchBatch,
    StoredBatch,
    new_batch_id,
)
from whisper_runtime.service.batches.file import FileDraft
from whisper_runtime.service.batches.file_table import FileTable
from whisper_runtime.service.jobs.connection import transaction
from whisper_runtime.service.jobs.room import check_room

MOST_OF_ONE_CLIENT: Final = 4
"""Batches of one client that are worked at together."""
BATCH_BYTES: Final = 4096
ANSWER_BYTES: Final = 64
"""What an answer takes beside its text."""
PAGE: Final = 500
"""Answers that are read at once."""


class BatchTable:
    """Use it in the thread of the jobs' database."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        files: FileTable,
        max_bytes: int,
        lease_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._connection, self._files, self._max_bytes = connection, files, max_bytes
        self._lease_seconds, self._clock = lease_seconds, clock

    def insert(self, draft: BatchDraft) -> StoredBatch:
        """Raises NoSuchFile, JobStoreFull."""
        with transaction(self._connection):
            self._files.get(draft.client, draft.input_file)
            values = vars(draft) | {"metadata": json.dumps(dict(draft.metadata)), "id": new_batch_id()}
            size = BATCH_BYTES + len(values["metadata"])
            check_room(self._connection, draft.client, size, self._max_bytes)
            self._connection.execute(sql.INSERT_BATCH, values | {"now": self._clock(), "bytes": size})
            return self.get(draft.client, values["id"])

    def get(self, client: str, batch_id: str) -> StoredBatch:
        """Raises NoSuchBatch."""
        return _batch(self._row(client, batch_id))

    def page(self, client: str, after: str | None, limit: int) -> BatchPage:
        """Raises NoSuchBatch where `after` is none of the client's."""
        seq = 1 << 62 if after is None else self._row(client, after)["seq"]
        values = {"client": client, "seq": seq, "limit": limit + 1}
        rows = self._connection.execute(sql.OLDER_BATCHES, values).fetchall()
        return BatchPage(tuple(map(_batch, rows[:limit])), has_more=len(rows) > limit)

    def cancel(self, client: str, batch_id: str) -> StoredBatch:
        """Raises NoSuchBatch."""
        with transaction(self._connection):
            self._row(client, batch_id)
            self._connection.execute(sql.CANCEL_BATCH, {"id": batch_id, "now": self._clock()})
            return self.get(client, batch_id)

    def claim(self) -> ClaimedBatch | None:
        now = self._clock()
        if not self._connection.execute(sql.NEXT_BATCH, {"now": now, "most": MOST_OF_ONE_CLIENT}).fetchone():
            return None  # as a rule, and without a transaction
        with transaction(self._connection):
            row = self._connection.execute(sql.NEXT_BATCH, {"now": now, "most": MOST_OF_ONE_CLIENT}).fetchone()
            if row is None:
                return None
            values = {"id": row["id"], "lease_ends": now + self._lease_seconds}
            (claimed,) = self._connection.execute(sql.CLAIM_BATCH, values).fetchall()
        return ClaimedBatch(BatchLease(claimed["id"], claimed["token"]), _batch(claimed))

    def bound_leases(self) -> None:
        """As JobDatabase does."""
        with transaction(self._connection):
            self._connection.execute(sql.BOUND_LEASES, {"latest": self._clock() + self._lease_seconds})

    def live(self) -> Counter[BatchState]:
        return Counter(row["state"] for row in self._connection.execute(sql.LIVE_BATCHES))

    def look(self, lease: BatchLease) -> StoredBatch:
        """Raises BatchLeaseLost, as the methods below do."""
        row = self._connection.execute(sql.HELD, {"id": lease.batch_id, "token": lease.token}).fetchone()
        if row is None:
            raise BatchLeaseLost("the batch has ended, or another process has it")
        return _batch(row)

    def change(self, lease: BatchLease, statement: str, **values: Any) -> StoredBatch:
        """Does one of the statements that change a batch; returns the batch as it is then."""
        with transaction(self._connection):
            self.look(lease)
            now = self._clock()
            bound = {"id": lease.batch_id, "now": now, "lease_ends": now + self._lease_seconds} | values
            self._connection.execute(statement, bound).fetchall()
            return _batch(self._connection.execute(sql.BATCH, {"id": lease.batch_id}).fetchone())

    def refuse(self, lease: BatchLease, faults: Sequence[LineFault]) -> StoredBatch:
        text = json.dumps([asdict(one) for one in faults])
        with transaction(self._connection):
            batch = self.look(lease)
            values = {"id": batch.id, "now": self._clock(), "faults": text, "bytes": BATCH_BYTES + len(text)}
            if self._connection.execute(sql.REFUSE, values).rowcount:
                self._connection.execute(sql.DELETE_ANSWERS, {"id": batch.id})
            return self.get(batch.client, batch.id)

    def note_try(self, lease: BatchLease, line: int) -> int:
        self.change(lease, sql.NOTE_TRY, line=line)
        return int(self._connection.execute(sql.BATCH, {"id": lease.batch_id}).fetchone()["tries"])

    def answer(self, lease: BatchLease, answers: Sequence[LineAnswer]) -> None:
        with transaction(self._connection):
            self.look(lease)
            counts = {"completed": 0, "failed": 0, "bytes": 0}
            for one in answers:
                values = {"id": lease.batch_id} | vars(one)
                if self._connection.execute(sql.INSERT_ANSWER, values).rowcount:
                    counts["failed" if one.is_error else "completed"] += 1
                    counts["bytes"] += ANSWER_BYTES + len(one.text.encode())
            self._connection.execute(sql.COUNT_ANSWERS, {"id": lease.batch_id} | counts)

    def answered(self, lease: BatchLease) -> set[int]:
        self.look(lease)
        return {row["line"] for row in self._connection.execute(sql.ANSWERED, {"id": lease.batch_id})}

    def texts(self, batch_id: str, is_error: bool, after: int) -> list[tuple[int, str]]:
        """The answers of one kind, and their lines, after a line; a page of them."""
        values = {"id": batch_id, "is_error": is_error, "after": after, "limit": PAGE}
        return [tuple(row) for row in self._connection.execute(sql.ANSWERS, values)]

    def finish(self, lease: BatchLease, drafts: Mapping[str, tuple[FileDraft, str, int]]) -> None:
        """`drafts` are the files of answers, each with its id and size, by the column that names it."""
        with transaction(self._connection):
            self.look(lease)
            for draft, file_id, size in drafts.values():
                self._files.add(draft, file_id, size)
            ids: dict[str, str | None] = {"output_file": None, "error_file": None}
            ids |= {column: file_id for column, (_, file_id, _) in drafts.items()}
            values = {"id": lease.batch_id, "now": self._clock(), "bytes": BATCH_BYTES}
            self._connection.execute(sql.FINISH_BATCH, values | ids)
            self._connection.execute(sql.DELETE_ANSWERS, {"id": lease.batch_id})

    def forget(self) -> None:
        """Forgets batches whose answers are not kept any more, some of them at a time."""
        with transaction(self._connection):
            self._connection.execute(sql.FORGET_BATCHES, {"now": self._clock()})

    def _row(self, client: str, batch_id: str) -> sqlite3.Row:
        row = self._connection.execute(sql.BATCH, {"id": batch_id}).fetchone()
        if row is None or row["client"] != client:
            raise NoSuchBatch(batch_id)
        return row


def pages(read: Callable[[int], list[tuple[int, str]]]) -> Iterator[bytes]:
    """The texts of all pages, of which `read` gives the one after a line, each with its end."""
    after = 0
    while page := read(after):
        after = page[-1][0]
        yield "".join(f"{text}\n" for _, text in page).encode()


def _batch(row: sqlite3.Row) -> StoredBatch:
    values: dict[str, Any] = {one.name: row[one.name] for one in fields(StoredBatch)}
    values["metadata"] = json.loads(row["metadata"])
    values["faults"] = tuple(LineFault(**one) for one in json.loads(row["faults"]))
    return StoredBatch(**values)
