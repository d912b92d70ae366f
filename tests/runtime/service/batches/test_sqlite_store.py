"""What the store of batches in SQLite does beyond what every one does: its files, its start, its plans of queries."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.runtime.service.batches.conftest import ANN, OpenBatchStore, claimed, content, file_draft, put, queue
from tests.runtime.service.jobs.conftest import LEASE_SECONDS, HandClock
from whisper_runtime.service.batches.file import NoSuchFile
from whisper_runtime.service.batches.store import BatchStore
from whisper_runtime.service.jobs.job import JobStoreFull


@pytest.fixture
def kind() -> str:
    return "sqlite"


def contents(directory: Path) -> set[str]:
    return {path.name for path in (directory / "jobs" / "batches" / "files").iterdir()}


async def test_a_start_deletes_what_a_crash_has_left(open_batch_store: OpenBatchStore, tmp_path: Path) -> None:
    before = open_batch_store()
    file = await put(before)
    await before.close()
    for name in ("file-1", "file-2.new"):
        (tmp_path / "jobs" / "batches" / "files" / name).write_bytes(b"left")
    after = open_batch_store()
    assert contents(tmp_path) == {file.id}
    (tmp_path / "jobs" / "batches" / "files" / "file-3").write_bytes(b"of another process that is about to say so")
    open_batch_store()
    assert "file-3" in contents(tmp_path)
    await after.close()


async def test_a_clock_that_was_set_back_keeps_no_batch_of_a_dead_process_for_longer_than_a_lease(
    open_batch_store: OpenBatchStore, clock: HandClock
) -> None:
    before = open_batch_store()
    await queue(before)
    await claimed(before)
    await before.close()
    clock.now -= 3600
    after = open_batch_store()
    assert await after.claim_batch() is None
    clock.now += LEASE_SECONDS
    assert (await claimed(after)).batch.losses == 1


async def test_a_file_whose_content_is_lost_is_forgotten_at_the_start(
    open_batch_store: OpenBatchStore, tmp_path: Path
) -> None:
    before = open_batch_store()
    file, other = await put(before), await put(before)
    await before.close()
    (tmp_path / "jobs" / "batches" / "files" / file.id).unlink()
    with pytest.raises(NoSuchFile):
        await before.open_file(ANN, file.id)
    after = open_batch_store()
    with pytest.raises(NoSuchFile):
        await after.file(ANN, file.id)
    assert await after.file(ANN, other.id) == other


async def test_an_upload_that_fills_the_disk_is_refused_and_leaves_nothing(
    batch_store: BatchStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JobStoreFull):
        await batch_store.put_file(file_draft(), content())
    assert contents(tmp_path) == set()
