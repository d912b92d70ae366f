"""A store of jobs in one directory: their state in SQLite, their audio and results in files beside it (ADR 39).

A file is on the disk before the row that needs it, and is deleted after the row that does not. So a crash leaves at
most files that no job needs, and the next process to open the directory deletes those.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sqlite3
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final, TypeVar

from whisper_runtime.service.disk_quota import FULL
from whisper_runtime.service.jobs.database import JobDatabase
from whisper_runtime.service.jobs.disk_reserve import DiskReserve
from whisper_runtime.service.jobs.files import FILES, JobFiles
from whisper_runtime.service.jobs.job import (
    LOST,
    ClaimedJob,
    Job,
    JobDraft,
    JobError,
    JobGone,
    JobLease,
    JobLeaseLost,
    JobPage,
    JobState,
    JobStatistics,
    JobStoreFull,
    PlacedJob,
    new_job_id,
)
from whisper_runtime.service.jobs.room import full, used_bytes
from whisper_runtime.service.jobs.rows import DISK_FULL, audio_name, result_name, size_of
from whisper_runtime.service.jobs.store import LEASE_SECONDS
from whisper_runtime.service.settled import settled

DATABASE: Final = "jobs.sqlite3"
RESERVE: Final = "reserve"
FULL_FOR_SQLITE: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE})

T = TypeVar("T")


class SqliteJobStore:
    """See store.JobStore. Several processes of one machine may have the same directory open."""

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int,
        keep_seconds: float,
        max_queued_seconds: float | None = None,
        lease_seconds: float = LEASE_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Opens the store, or makes it; blocks. Results are kept for `keep_seconds`.

        `max_queued_seconds`: audio that one client may have queued; None: there is no limit.

        Raises OSError or sqlite3.Error where the directory cannot be written, or has another version's store.
        """
        self._max_bytes, self._lease_seconds = max_bytes, lease_seconds
        self._files = JobFiles(directory / FILES)
        self._reserve = DiskReserve(directory / RESERVE)
        self._reserve.release()  # to open a database takes room, too
        self._thread = ThreadPoolExecutor(1, "jobs")
        """SQLite's connections are of one thread, and writers of one database take turns anyway."""
        try:
            path, limit = directory / DATABASE, max_queued_seconds
            self._database = self._thread.submit(JobDatabase, path, keep_seconds, clock, limit).result()
            if self._files.is_alone:
                self._thread.submit(self._reconcile).result()
            self._reserve.hold()
        except BaseException:
            self._thread.shutdown()
            self._files.close()
            raise
        self._files.share()

    async def put(self, draft: JobDraft, audio: IO[bytes]) -> Job:
        return await settled(self._put(draft, audio))

    async def with_key(self, client: str, key: str, body_digest: str) -> Job | None:
        return await self._run(lambda: self._database.with_key(client, key, body_digest))

    async def made_by(self, client: str, keys: Collection[str], body_digest: str) -> list[Job]:
        return await self._run(lambda: self._database.made_by(client, keys, body_digest))

    async def check_quota(self, client: str) -> None:
        await self._run(lambda: self._database.check_quota(client, 0.0))

    async def get(self, client: str, job_id: str) -> Job:
        return await self._run(lambda: self._database.get(client, job_id))

    async def find(self, client: str, job_ids: Collection[str]) -> list[Job]:
        return await self._run(lambda: self._database.find(client, job_ids))

    async def page(self, client: str, *, after: str | None, limit: int, state: JobState | None) -> JobPage:
        return await self._run(lambda: self._database.page(client, after, limit, state))

    async def placed(self, client: str, job_id: str) -> PlacedJob:
        return await self._run(lambda: self._database.placed(client, job_id))

    async def result(self, client: str, job_id: str) -> bytes:
        lease = await self._run(lambda: self._database.completed(client, job_id))
        try:
            return await asyncio.to_thread(self._read, result_name(lease))
        except FileNotFoundError:
            raise JobGone("its result was deleted") from None

    async def cancel(self, client: str, job_id: str) -> Job:
        job, unneeded = await self._run(lambda: self._database.cancel(client, job_id))
        await self._delete(unneeded)
        return job

    async def delete(self, client: str, job_id: str) -> None:
        await self._delete(await self._run(lambda: self._database.delete(client, job_id)))

    async def claim(self, model: str | None = None) -> ClaimedJob | None:
        claimed, unneeded = await self._run(lambda: self._database.claim(self._lease_seconds, model))
        await self._delete(unneeded)
        return claimed

    async def audio(self, lease: JobLease) -> IO[bytes]:
        await self._run(lambda: self._database.check(lease))
        try:
            return self._files.open(audio_name(lease.job_id))
        except FileNotFoundError:
            raise JobLeaseLost("the job's audio was deleted") from None

    async def renew(self, lease: JobLease, done_seconds: float) -> None:
        await self._run(lambda: self._database.renew(lease, done_seconds, self._lease_seconds))

    async def finish(self, lease: JobLease, result: bytes) -> None:
        await self._run(lambda: self._database.check(lease))
        name = result_name(lease)
        await asyncio.to_thread(self._files.write, name, io.BytesIO(result))
        try:
            await self._delete(await self._run(lambda: self._database.complete(lease, len(result))))
        except JobLeaseLost:
            await self._delete([name])
            raise

    async def retry(self, lease: JobLease, error: JobError) -> None:
        await self._delete(await self._run(lambda: self._database.retry(lease, error)))

    async def fail(self, lease: JobLease, error: JobError) -> None:
        await self._delete(await self._run(lambda: self._database.fail(lease, error)))

    async def hand_back(self, lease: JobLease) -> None:
        await self._run(lambda: self._database.hand_back(lease))

    async def expire(self) -> None:
        await self._delete(await self._run(lambda: self._database.expire()))
        await asyncio.to_thread(self._reserve.hold)

    async def statistics(self) -> JobStatistics:
        return await self._run(lambda: self._database.statistics())

    async def close(self) -> None:
        await asyncio.to_thread(self._thread.shutdown)
        self._database.close()
        self._files.close()

    def submit(self, work: Callable[[JobDatabase], T]) -> Future[T]:
        """Does `work` in the thread of the database, for the tables that lie beside those of jobs.

        On a full disk it gets the reserve; raises JobStoreFull where that does not help.
        """
        return self._thread.submit(lambda: self._with_reserve(lambda: work(self._database)))

    def submit_new(self, work: Callable[[JobDatabase], T]) -> Future[T]:
        """The same for what a client hands in, which gets nothing of the reserve; raises sqlite3.Error then."""
        return self._thread.submit(work, self._database)

    async def _put(self, draft: JobDraft, audio: IO[bytes]) -> Job:
        size, job_id = audio.seek(0, os.SEEK_END), new_job_id()
        audio.seek(0)
        name, used = audio_name(job_id), await self._run(lambda: used_bytes(self._database.connection))
        if used + size_of(draft, size) > self._max_bytes:
            raise full(used, self._max_bytes)
        try:
            await asyncio.to_thread(self._files.write, name, audio)
            job = await self._in_thread(lambda: self._database.insert(draft, job_id, size, self._max_bytes))
        except BaseException as error:
            await self._delete([name])
            if is_disk_full(error):
                raise JobStoreFull(DISK_FULL) from error
            raise
        if job.id != job_id:
            await self._delete([name])
        return job

    def _reconcile(self) -> None:
        """Deletes files that no job needs, fails jobs that lack theirs, and ends leases that would last too long.

        No other process has the store open.
        """
        needed, present = self._database.needed_files(), self._files.names()
        self._files.delete(present - needed.keys())
        for name in needed.keys() - present:
            lease, state = needed[name]
            self._database.fail(lease, LOST, state)
        self._database.bound_leases(self._lease_seconds)

    def _read(self, name: str) -> bytes:
        with self._files.open(name) as file:
            return file.read()

    async def _delete(self, names: list[str]) -> None:
        if names:
            with contextlib.suppress(OSError):  # it is nobody's now, and the next start deletes it
                await asyncio.to_thread(self._files.delete, names)

    async def _run(self, work: Callable[[], T]) -> T:
        """Does `work`, on a full disk with the reserve; raises JobStoreFull where that does not help."""
        return await self._in_thread(lambda: self._with_reserve(work))

    def _with_reserve(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except sqlite3.Error as error:
            if not is_disk_full(error):
                raise
            if self._reserve.release():
                return self._with_reserve(work)
            raise JobStoreFull(DISK_FULL) from error

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def is_disk_full(error: BaseException) -> bool:
    """Whether the disk had no room for a file, or for SQLite's own."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) in FULL_FOR_SQLITE
    return isinstance(error, OSError) and error.errno in FULL
