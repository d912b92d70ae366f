"""A store of batches of each kind, beside a store of jobs, with a clock that the test turns."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import IO, Any

import pytest

from tests.runtime.service.jobs.conftest import (
    LEASE_SECONDS,
    MAX_BYTES,
    HandClock,
    kind,
    open_outbox,
    shared_verbs,
    store_servers,
    url_file,
)
from whisper_runtime.service.batches.batch import BatchDraft, ClaimedBatch, StoredBatch
from whisper_runtime.service.batches.file import FileDraft, FilePurpose, StoredFile
from whisper_runtime.service.batches.shared_store import SharedBatchStore
from whisper_runtime.service.batches.sqlite_store import SqliteBatchStore
from whisper_runtime.service.batches.store import BatchStore
from whisper_runtime.service.jobs.files import StoredFiles
from whisper_runtime.service.jobs.kept_contents import BesideJobs, SharedFiles
from whisper_runtime.service.jobs.sqlite_store import SqliteJobStore

__all__ = ["kind", "open_outbox", "store_servers", "url_file"]
ANN, BOB = "key ann", "key bob"
ENDPOINT = "/v1/audio/transcriptions"
WINDOW_SECONDS = 24 * 3600.0
KEPT_SECONDS = 7200.0
CONTENT = b'{"custom_id": "a", "body": {}}\n'

OpenBatchStore = Callable[..., BatchStore]
"""Opens one store, as each process that shares it does."""


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def open_batch_store(
    kind: str, url_file: Path, tmp_path: Path, clock: HandClock
) -> AsyncIterator[OpenBatchStore]:
    async with AsyncExitStack() as opened:

        def sqlite(max_bytes: int = MAX_BYTES) -> BatchStore:
            bounds: dict[str, Any] = {"max_bytes": max_bytes, "lease_seconds": LEASE_SECONDS, "clock": clock}
            jobs = SqliteJobStore(tmp_path / "jobs", keep_seconds=3600.0, **bounds)
            opened.push_async_callback(jobs.close)
            store = SqliteBatchStore(jobs, tmp_path / "jobs", **bounds)
            opened.push_async_callback(store.close)
            return store

        def shared(max_bytes: int = MAX_BYTES) -> BatchStore:
            verbs = shared_verbs(url_file, clock, max_bytes, None)
            opened.push_async_callback(verbs.close)
            contents = SharedFiles(StoredFiles(tmp_path / "files")) if kind == "valkey" else BesideJobs()
            return SharedBatchStore(verbs, contents, lease_seconds=LEASE_SECONDS)

        yield sqlite if kind == "sqlite" else shared


@pytest.fixture
def batch_store(open_batch_store: OpenBatchStore) -> BatchStore:
    return open_batch_store()


def file_draft(client: str = ANN, purpose: FilePurpose = "batch", **fields: Any) -> FileDraft:
    values: dict[str, Any] = {"filename": "lines.jsonl", "keep_seconds": KEPT_SECONDS}
    return FileDraft(client, purpose, **(values | fields))


def content(text: bytes = CONTENT) -> IO[bytes]:
    return io.BytesIO(text)


async def put(store: BatchStore, client: str = ANN, **fields: Any) -> StoredFile:
    return await store.put_file(file_draft(client, **fields), content())


async def queue(store: BatchStore, client: str = ANN, **fields: Any) -> StoredBatch:
    """A batch with a file of its own."""
    source = await put(store, client)
    draft = BatchDraft(client, ENDPOINT, source.id, "24h", WINDOW_SECONDS, KEPT_SECONDS, **fields)
    return await store.create(draft)


async def claimed(store: BatchStore) -> ClaimedBatch:
    found = await store.claim_batch()
    assert found is not None
    return found
