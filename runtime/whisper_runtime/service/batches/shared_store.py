"""Files and batches in the Valkey or Redis that pods share, beside its jobs (ADR 57, ADR 71)."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any, Final, cast

from whisper_runtime.service.batches.batch import (
    BatchDraft,
    BatchLease,
    BatchLeaseLost,
    BatchOutcome,
    BatchPage,
    BatchState,
    ClaimedBatch,
    LineAnswer,
    LineFault,
    NoSuchBatch,
    StoredBatch,
    new_batch_id,
)
from whisper_runtime.service.batches.batch_table import BATCH_BYTES, MOST_OF_ONE_CLIENT
from whisper_runtime.service.batches.file import (
    FileDraft,
    FileInUse,
    FilePage,
    FilePurpose,
    NoSuchFile,
    StoredFile,
    new_file_id,
)
from whisper_runtime.service.batches.file_table import FILE_BYTES
from whisper_runtime.service.batches.shared_rows import (
    batch_of,
    calls_of,
    faults_text,
    file_of,
    unpacked,
    words_of,
)
from whisper_runtime.service.jobs.job import JobStoreAway
from whisper_runtime.service.jobs.kept_contents import FILE_ENDING, KeptContents, unnamed_file
from whisper_runtime.service.jobs.shared_verbs import SharedVerbs, table_of
from whisper_runtime.service.jobs.store import LEASE_SECONDS

TIDIED_AT_ONCE: Final = "500"
TEXTS_AT_ONCE: Final = 100
"""Answers that are read in one call."""


class SharedBatchStore:
    """See store.BatchStore; each verb may raise JobStoreAway, too. In the event loop's thread."""

    def __init__(self, verbs: SharedVerbs, contents: KeptContents, *, lease_seconds: float = LEASE_SECONDS) -> None:
        """`verbs` and `contents` are those of the jobs, which delete what nobody needs of the latter."""
        self._verbs, self._contents, self._lease_seconds = verbs, contents, lease_seconds
        self._ahead = 0.0
        """Seconds by which the store's clock is ahead of this process's."""

    def clock(self) -> float:
        """Unix time in seconds by the store's clock, as of its last answer about a batch."""
        return time.time() + self._ahead

    async def put_file(self, draft: FileDraft, content: IO[bytes]) -> StoredFile:
        """To cancel the task does not undo it: the file is there, or it is not."""
        return await asyncio.shield(self._put_file(draft, content))

    async def file(self, client: str, file_id: str) -> StoredFile:
        return file_of((await self._ask("file", client, file_id))[0])

    async def open_file(self, client: str, file_id: str) -> IO[bytes]:
        file = await self.file(client, file_id)
        beside, lines = await self._ask("open_file", client, file_id)
        if lines:
            return await self._answers(file, sorted(map(int, lines)))
        if not file.size:
            return unnamed_file()
        try:
            return await self._contents.open(_content_name(file_id), beside)
        except FileNotFoundError:
            raise NoSuchFile(file_id) from None

    async def file_page(
        self, client: str, *, after: str | None, limit: int, purpose: FilePurpose | None, oldest_first: bool
    ) -> FilePage:
        order = "asc" if oldest_first else "desc"
        found = await self._ask("file_page", client, after or "", str(limit + 1), purpose or "", order)
        return FilePage(tuple(map(file_of, found[:limit])), has_more=len(found) > limit)

    async def delete_file(self, client: str, file_id: str) -> None:
        await self._ask("delete_file", client, file_id)
        await self._contents.delete([_content_name(file_id)])

    async def create(self, draft: BatchDraft) -> StoredBatch:
        words = words_of(draft)
        size = BATCH_BYTES + len(words[words.index("metadata") + 1])
        return self._noted(await self._ask("create_batch", new_batch_id(), size, self._verbs.max_bytes, *words))

    async def batch(self, client: str, batch_id: str) -> StoredBatch:
        return self._noted(await self._ask("batch", client, batch_id))

    async def batch_page(self, client: str, *, after: str | None, limit: int) -> BatchPage:
        found = await self._ask("batch_page", client, after or "", str(limit + 1))
        return BatchPage(tuple(map(batch_of, found[:limit])), has_more=len(found) > limit)

    async def cancel_batch(self, client: str, batch_id: str) -> StoredBatch:
        return self._noted(await self._ask("cancel_batch", client, batch_id))

    async def claim_batch(self) -> ClaimedBatch | None:
        found = await self._ask("claim_batch", self._lease_seconds, MOST_OF_ONE_CLIENT)
        if not found:
            return None
        batch = self._noted(found)
        return ClaimedBatch(BatchLease(batch.id, int(table_of(found[0])["token"])), batch)

    async def live_batches(self) -> Mapping[BatchState, int]:
        (flat,) = await self._ask("live_batches")
        return {cast(BatchState, state): int(count) for state, count in table_of(flat).items()}

    async def look(self, lease: BatchLease) -> StoredBatch:
        return await self._change("look", lease)

    async def renew_batch(self, lease: BatchLease) -> None:
        await self._change("renew_batch", lease, self._lease_seconds)

    async def hand_back_batch(self, lease: BatchLease) -> None:
        await self._change("hand_back_batch", lease)

    async def refuse(self, lease: BatchLease, faults: Sequence[LineFault]) -> StoredBatch:
        text = faults_text(faults)
        return await self._change("refuse", lease, text, BATCH_BYTES + len(text))

    async def begin_batch(self, lease: BatchLease, total: int) -> StoredBatch:
        return await self._change("begin_batch", lease, total)

    async def note_try(self, lease: BatchLease, line: int) -> int:
        (tries,) = await self._of_lease("note_try", lease, line)
        return int(tries)

    async def answer(self, lease: BatchLease, answers: Sequence[LineAnswer]) -> None:
        """In one call or in several, each of which keeps all that it has."""
        for words in await asyncio.to_thread(lambda: list(calls_of(answers))):
            await self._change("answer", lease, *words)

    async def answered(self, lease: BatchLease) -> set[int]:
        right, wrong = await self._of_lease("answered", lease)
        return {int(line) for line in (*right, *wrong)}

    async def finalize(self, lease: BatchLease, outcome: BatchOutcome) -> StoredBatch:
        return await self._change("finalize", lease, outcome)

    async def finish_batch(self, lease: BatchLease) -> None:
        """The answers stay where they are, and their files name them: none is written."""
        words: list[str] = []
        for kind in ("output", "error"):
            words += [kind, new_file_id(), f"{lease.batch_id}_{kind}.jsonl", str(FILE_BYTES)]
        await self._of_lease("finish_batch", lease, BATCH_BYTES, *words)

    async def expire_files(self) -> None:
        expired = await self._ask("expire_files", TIDIED_AT_ONCE)
        if expired:
            await self._contents.delete([_content_name(file_id.decode()) for file_id in expired])
        await self._ask("forget_batches", TIDIED_AT_ONCE)

    async def close(self) -> None:
        """The store of jobs closes what both use."""

    async def _put_file(self, draft: FileDraft, content: IO[bytes]) -> StoredFile:
        size, file_id = content.seek(0, os.SEEK_END), new_file_id()
        content.seek(0)
        await self._ask("check_room", draft.client, FILE_BYTES + size, self._verbs.max_bytes)
        name = _content_name(file_id)
        beside = await self._contents.keep(name, content)
        words = (file_id, size, FILE_BYTES + size, self._verbs.max_bytes, draft.keep_seconds, beside)
        pairs = ("client", draft.client, "purpose", draft.purpose, "filename", draft.filename)
        try:
            return file_of((await self._ask("put_file", *words, *pairs))[0])
        except JobStoreAway:
            raise  # the file may be there, and need its content
        except BaseException:
            await self._contents.delete([name])
            raise

    async def _answers(self, file: StoredFile, lines: Sequence[int]) -> IO[bytes]:
        """A file without a name that has the answers of these lines; raises NoSuchFile where they are deleted."""
        found = unnamed_file()
        try:
            for at in range(0, len(lines), TEXTS_AT_ONCE):
                some = map(str, lines[at : at + TEXTS_AT_ONCE])
                (texts,) = await self._ask("file_texts", file.client, file.id, *some)
                await asyncio.to_thread(_write, found, texts)
            found.seek(0)
        except BaseException:
            found.close()
            raise
        return found

    async def _change(self, verb: str, lease: BatchLease, *words: str | bytes | float) -> StoredBatch:
        return self._noted(await self._of_lease(verb, lease, *words))

    async def _of_lease(self, verb: str, lease: BatchLease, *words: str | bytes | float) -> list[Any]:
        return await self._ask(verb, lease.batch_id, str(lease.token), *words)

    def _noted(self, found: Sequence[Any]) -> StoredBatch:
        flat, now = found
        self._ahead = float(now) - time.time()
        return batch_of(flat)

    async def _ask(self, verb: str, *words: str | bytes | float) -> list[Any]:
        """What the verb answers behind `ok`; nothing where it found nothing."""
        outcome, rest = await self._verbs.ask(verb, *words)
        match outcome:
            case "ok" | "none":
                return rest
            case "no_such_file":
                raise NoSuchFile(words[1])
            case "file_in_use":
                raise FileInUse(rest[0].decode())
            case "no_such_batch":
                raise NoSuchBatch(words[1])
            case "batch_lost":
                raise BatchLeaseLost("the batch has ended, or another process has it")
            case _:
                raise AssertionError(f"{verb} answers {outcome}")


def _write(file: IO[bytes], texts: Sequence[Any]) -> None:
    file.write(unpacked(texts))


def _content_name(file_id: str) -> str:
    return f"{file_id}{FILE_ENDING}"
