"""What batches in a shared store do beyond what every store of them does: their contents, and the store's clock."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.runtime.service.batches.conftest import ANN, claimed, content, file_draft, put, queue
from tests.runtime.service.jobs.conftest import KEEP_SECONDS, MAX_BYTES, HandClock, Servers, shared_verbs
from whisper_runtime.service.batches.batch import LineAnswer
from whisper_runtime.service.batches.file import NoSuchFile
from whisper_runtime.service.batches.shared_store import SharedBatchStore
from whisper_runtime.service.jobs.files import StoredFiles
from whisper_runtime.service.jobs.kept_contents import SharedFiles
from whisper_runtime.service.jobs.shared_store import SharedJobStore


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
async def jobs(store_servers: Servers, url_file: Path, clock: HandClock, files: Path) -> AsyncIterator[SharedJobStore]:
    url_file.write_text(store_servers("valkey").url)
    verbs = shared_verbs(url_file, clock, MAX_BYTES, None)
    store = SharedJobStore(verbs, SharedFiles(StoredFiles(files)), keep_seconds=KEEP_SECONDS)
    yield store
    await store.close()


@pytest.fixture
def store(jobs: SharedJobStore) -> SharedBatchStore:
    return SharedBatchStore(jobs.verbs, jobs.contents)


async def test_answers_are_the_content_of_their_file_and_no_file_is_written(
    store: SharedBatchStore, jobs: SharedJobStore, files: Path
) -> None:
    batch = await queue(store)
    lease = (await claimed(store)).lease
    await store.begin_batch(lease, 1)
    await store.answer(lease, [LineAnswer(1, "words", is_error=False)])
    await store.finalize(lease, "completed")
    await store.finish_batch(lease)
    output = (await store.batch(ANN, batch.id)).output_file or ""
    with await store.open_file(ANN, output) as file:
        assert file.read() == b"words\n"
    assert {path.name for path in files.iterdir()} == {f"{batch.input_file}.file"}
    for file_id in (output, batch.input_file):
        await store.delete_file(ANN, file_id)
    assert list(files.iterdir()) == []
    assert (await jobs.statistics()).used_bytes == 4096  # of the batch, until it is forgotten


async def test_the_content_of_a_file_stays_when_old_contents_are_looked_at(
    store: SharedBatchStore, jobs: SharedJobStore, files: Path
) -> None:
    file = await put(store)
    (files / "file-a.file").write_bytes(b"of an upload whose process was killed")
    for path in files.iterdir():
        os.utime(path, (1, 1))
    await jobs.sweep(60)
    assert {path.name for path in files.iterdir()} == {f"{file.id}.file"}
    (files / f"{file.id}.file").unlink()
    with pytest.raises(NoSuchFile):
        await store.open_file(ANN, file.id)


async def test_an_empty_file_is_one(store: SharedBatchStore) -> None:
    file = await store.put_file(file_draft(), content(b""))
    with await store.open_file(ANN, file.id) as found:
        assert found.read() == b""


async def test_a_window_is_judged_by_the_clock_of_the_store(store: SharedBatchStore, clock: HandClock) -> None:
    await queue(store)
    assert store.clock() == pytest.approx(clock.now, abs=60)
    assert abs(store.clock() - time.time()) > 1_000_000
