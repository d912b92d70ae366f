"""Files and batches beside the store of jobs: their state in its database, their contents as files (ADR 43).

As with jobs, a file is on the disk before the row that needs it, and is deleted after the row that does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from whisper_runtime.service.batches import statements as sql
from whisper_runtime.service.batches.batch import (
    BatchDraft,
    BatchLease,
    BatchOutcome,
    BatchPage,
    BatchState,
    ClaimedBatch,
    LineAnswer,
    LineFault,
    StoredBatch,
)
from whisper_runtime.service.batches.batch_table import BatchTable, pages
from whisper_runtime.service.batches.file import (
    FileDraft,
    FilePage,
    FilePurpose,
    NoSuchFile,
    StoredFile,
    new_file_id,
)
from whisper_runtime.service.batches.file_table import FileTable
from whisper_runtime.service.jobs.connection import make_tables
from whisper_runtime.service.jobs.database import JobDatabase
from whisper_runtime.service.jobs.files import JobFiles
from whisper_runtime.service.jobs.job import JobStoreFull
from whisper_runtime.service.jobs.rows import DISK_FULL
from whisper_runtime.service.jobs.sqlite_store import SqliteJobStore, is_disk_full
from whisper_runtime.service.jobs.store import LEASE_SECONDS

FILES: Final = Path("batches", "files")

T = TypeVar("T")


class SqliteBatchStore:
    """See store.BatchStore. Several processes of one machine may have the same directory open."""

    def __init__(
        self,
        jobs: SqliteJobStore,
        directory: Path,
        *,
        max_bytes: int,
        lease_seconds: float = LEASE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Opens the store in the directory of `jobs`, or makes it; blocks. `max_bytes` is that of jobs, too.

        Raises OSError or sqlite3.Error where the directory cannot be written.
        """
        self._jobs, self._max_bytes = jobs, max_bytes
        self._lease_seconds, self._clock = lease_seconds, clock
        self._contents = JobFiles(directory / FILES)
        try:
            jobs.submit(self._open).result()
        except BaseException:
            self._contents.close()
            raise
        self._contents.share()

    async def put_file(self, draft: FileDraft, content: IO[bytes]) -> StoredFile:
        """To cancel the task does not undo it: the file is there, or it is not."""
        return await asyncio.shield(self._put_file(draft, content))

    async def file(self, client: str, file_id: str) -> StoredFile:
        return await self._run(lambda: self._files.get(client, file_id))

    async def open_file(self, client: str, file_id: str) -> IO[bytes]:
        await self.file(client, file_id)
        try:
            return await self._contents.open_in_thread(file_id)
        except FileNotFoundError:
            raise NoSuchFile(file_id) from None

    async def file_page(
        self, client: str, *, after: str | None, limit: int, purpose: FilePurpose | None, oldest_first: bool
    ) -> FilePage:
        return await self._run(lambda: self._files.page(client, after, limit, purpose, oldest_first))

    async def delete_file(self, client: str, file_id: str) -> None:
        await self._run(lambda: self._files.delete(client, file_id))
        await self._delete([file_id])

    async def create(self, draft: BatchDraft) -> StoredBatch:
        return await self._take(lambda: self._batches.insert(draft))

    async def batch(self, client: str, batch_id: str) -> StoredBatch:
        return await self._run(lambda: self._batches.get(client, batch_id))

    async def batch_page(self, client: str, *, after: str | None, limit: int) -> BatchPage:
        return await self._run(lambda: self._batches.page(client, after, limit))

    async def cancel_batch(self, client: str, batch_id: str) -> StoredBatch:
        return await self._run(lambda: self._batches.cancel(client, batch_id))

    async def claim_batch(self) -> ClaimedBatch | None:
        return await self._run(lambda: self._batches.claim())

    async def live_batches(self) -> Mapping[BatchState, int]:
        return await self._run(lambda: self._batches.live())

    async def look(self, lease: BatchLease) -> StoredBatch:
        return await self._run(lambda: self._batches.look(lease))

    async def renew_batch(self, lease: BatchLease) -> None:
        await self._change(lease, sql.RENEW_BATCH)

    async def hand_back_batch(self, lease: BatchLease) -> None:
        await self._change(lease, sql.HAND_BACK_BATCH)

    async def refuse(self, lease: BatchLease, faults: Sequence[LineFault]) -> StoredBatch:
        return await self._run(lambda: self._batches.refuse(lease, faults))

    async def begin_batch(self, lease: BatchLease, total: int) -> StoredBatch:
        return await self._change(lease, sql.BEGIN_BATCH, total=total)

    async def note_try(self, lease: BatchLease, line: int) -> int:
        return await self._run(lambda: self._batches.note_try(lease, line))

    async def answer(self, lease: BatchLease, answers: Sequence[LineAnswer]) -> None:
        await self._run(lambda: self._batches.answer(lease, answers))

    async def answered(self, lease: BatchLease) -> set[int]:
        return await self._run(lambda: self._batches.answered(lease))

    async def finalize(self, lease: BatchLease, outcome: BatchOutcome) -> StoredBatch:
        return await self._change(lease, sql.FINALIZE, outcome=outcome)

    async def finish_batch(self, lease: BatchLease) -> None:
        batch = await self.look(lease)
        ids = {"output_file": new_file_id(), "error_file": new_file_id()}
        try:
            drafts: dict[str, tuple[FileDraft, str, int]] = {}
            for column, is_error in (("output_file", False), ("error_file", True)):
                if size := await asyncio.to_thread(self._write_answers, batch.id, is_error, ids[column]):
                    filename = f"{batch.id}_{'error' if is_error else 'output'}.jsonl"
                    draft = FileDraft(batch.client, "batch_output", filename, batch.keep_seconds)
                    drafts[column] = draft, ids[column], size
            await self._run(lambda: self._batches.finish(lease, drafts))
        except BaseException:
            await self._delete(list(ids.values()))
            raise

    async def expire_files(self) -> None:
        await self._delete(await self._run(lambda: self._files.expire()))
        await self._run(lambda: self._batches.forget())

    async def close(self) -> None:
        self._contents.close()

    async def _put_file(self, draft: FileDraft, content: IO[bytes]) -> StoredFile:
        size, file_id = content.seek(0, os.SEEK_END), new_file_id()
        content.seek(0)
        await self._run(lambda: self._files.check_room(draft.client, size))
        try:
            await asyncio.to_thread(self._contents.write, file_id, content)
            return await self._take(lambda: self._files.insert(draft, file_id, size))
        except BaseException as error:
            await self._delete([file_id])
            if is_disk_full(error):
                raise JobStoreFull(DISK_FULL) from error
            raise

    def _open(self, jobs: JobDatabase) -> None:
        make_tables(jobs.connection, sql.SCHEMA)
        self._files = FileTable(jobs.connection, self._max_bytes, self._clock)
        self._batches = BatchTable(jobs.connection, self._files, self._max_bytes, self._lease_seconds, self._clock)
        if self._contents.is_alone:
            needed, present = self._files.ids(), self._contents.names()
            self._contents.delete(present - needed)
            for lost in needed - present:
                self._files.forget(lost)
            self._batches.bound_leases()

    def _write_answers(self, batch_id: str, is_error: bool, file_id: str) -> int:
        """Writes the answers of one kind, as they are read; returns their bytes, 0: there are none, and no file."""

        def read(after: int) -> list[tuple[int, str]]:
            return self._jobs.submit(lambda _: self._batches.texts(batch_id, is_error, after)).result()

        if not read(0):
            return 0
        return self._contents.write_blocks(file_id, pages(read))

    async def _change(self, lease: BatchLease, statement: str, **values: Any) -> StoredBatch:
        return await self._run(lambda: self._batches.change(lease, statement, **values))

    async def _delete(self, names: Iterable[str]) -> None:
        if found := list(names):
            with contextlib.suppress(OSError):  # it is nobody's now, and the next start deletes it
                await asyncio.to_thread(self._contents.delete, found)

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.wrap_future(self._jobs.submit(lambda _: work()))

    async def _take(self, work: Callable[[], T]) -> T:
        """The same for what a client hands in; raises JobStoreFull where the disk has no room for it."""
        try:
            return await asyncio.wrap_future(self._jobs.submit_new(lambda _: work()))
        except sqlite3.Error as error:
            raise (JobStoreFull(DISK_FULL) if is_disk_full(error) else error) from error
