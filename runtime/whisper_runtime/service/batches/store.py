"""What every store of files and batches can do. Nothing in it assumes one process: leases and tokens take turns.

tests/runtime/service/batches/test_store.py holds each backend to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import IO, Protocol

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
from whisper_runtime.service.batches.file import FileDraft, FilePage, FilePurpose, StoredFile


class FileStore(Protocol):
    """Keeps the files of clients. The verbs raise NoSuchFile for the id of a file that is not this client's."""

    async def put_file(self, draft: FileDraft, content: IO[bytes]) -> StoredFile:
        """Keeps a file, which is read from its beginning; it is on the disk when this returns. Raises JobStoreFull."""
        ...

    async def file(self, client: str, file_id: str) -> StoredFile: ...

    async def open_file(self, client: str, file_id: str) -> IO[bytes]:
        """The file's content, open for reading: the caller closes it. It can be read even if it is deleted then."""
        ...

    async def file_page(
        self, client: str, *, after: str | None, limit: int, purpose: FilePurpose | None, oldest_first: bool
    ) -> FilePage:
        """At most `limit` of the client's files that come after the file `after`; None: from the first on, any."""
        ...

    async def delete_file(self, client: str, file_id: str) -> None:
        """Raises FileInUse for the file of a batch that has not ended."""
        ...


class BatchStore(FileStore, Protocol):
    """Keeps batches beside the files. What `create` has returned is never lost.

    The end of a batch with a `webhook_url` is an event of its own in the outbox of jobs, written with it.
    The client's verbs raise NoSuchBatch for the id of a batch that is not this client's. The verbs that take a lease
    raise BatchLeaseLost, and change nothing, where it is not the batch's present one.
    """

    async def create(self, draft: BatchDraft) -> StoredBatch:
        """Raises NoSuchFile where the client has not its file, JobStoreFull where there is no room."""
        ...

    async def batch(self, client: str, batch_id: str) -> StoredBatch: ...

    async def batch_page(self, client: str, *, after: str | None, limit: int) -> BatchPage:
        """The client's batches, newest first, at most `limit`, of those older than `after`; None: from the newest."""
        ...

    async def cancel_batch(self, client: str, batch_id: str) -> StoredBatch:
        """The batch, which is cancelling from now on; one that is finalizing, or has ended, stays as it is."""
        ...

    async def claim_batch(self) -> ClaimedBatch | None:
        """The oldest batch that no process has, with a lease of jobs.store.LEASE_SECONDS; None: there is none.

        Of one client, only a few are given away at the same time: the others wait, and keep back nobody else's.
        """
        ...

    async def look(self, lease: BatchLease) -> StoredBatch:
        """The batch as it is now."""
        ...

    async def renew_batch(self, lease: BatchLease) -> None: ...

    async def hand_back_batch(self, lease: BatchLease) -> None:
        """Gives the batch to the next process that claims one: this one has to stop."""
        ...

    async def refuse(self, lease: BatchLease, faults: Sequence[LineFault]) -> StoredBatch:
        """Fails the batch, without answers; one that is cancelling stays so."""
        ...

    async def begin_batch(self, lease: BatchLease, total: int) -> StoredBatch:
        """Notes that a batch which was validating has so many lines, all of which can be begun."""
        ...

    async def note_try(self, lease: BatchLease, line: int) -> int:
        """Notes that this line is begun with, in case it ends the process.

        Returns how often the batch was lost with it, in a row, and 1 for this time.
        """
        ...

    async def answer(self, lease: BatchLease, answers: Sequence[LineAnswer]) -> None:
        """Keeps the answers to these lines; a line that has one keeps it."""
        ...

    async def answered(self, lease: BatchLease) -> set[int]:
        """The lines that have an answer."""
        ...

    async def finalize(self, lease: BatchLease, outcome: BatchOutcome) -> StoredBatch:
        """Notes that each line has its answer, and how the batch is to end; one that is cancelling stays so."""
        ...

    async def finish_batch(self, lease: BatchLease) -> None:
        """Ends the batch, cancelled or with its outcome: its answers are files from now on, in the lines' order."""
        ...

    async def live_batches(self) -> Mapping[BatchState, int]:
        """How many batches have not ended, by their state."""
        ...

    async def expire_files(self) -> None:
        """Deletes files that are older than they may be, and forgets batches; to be called by any process."""
        ...

    async def close(self) -> None:
        """Lets go of what the process holds; the files and batches stay. The store of jobs is still open."""
        ...
