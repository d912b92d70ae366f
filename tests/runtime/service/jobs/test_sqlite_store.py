"""What the store in SQLite does beyond what every store does: its files, its start, its plans of queries."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from tests.runtime.service.jobs.conftest import LEASE_SECONDS, HandClock, OpenStore, audio, draft
from whisper_runtime.service.jobs.job import JobStoreFull
from whisper_runtime.service.jobs.store import JobStore

ANN = "key ann"
FINISHED = 100_000


@pytest.fixture
def kind() -> str:
    """Those of SQLite alone."""
    return "sqlite"


def files(directory: Path) -> set[str]:
    return {path.name for path in (directory / "jobs" / "files").iterdir()}


async def test_audio_is_on_the_disk_while_it_is_needed_and_the_result_after_it(store: JobStore, tmp_path: Path) -> None:
    job = await store.put(draft(), audio())
    assert files(tmp_path) == {f"{job.id}.audio"}
    found = await store.claim()
    assert found is not None
    await store.finish(found.lease, b"words")
    assert files(tmp_path) == {f"{job.id}.1.json"}
    await store.delete(ANN, job.id)
    assert files(tmp_path) == set()


async def test_a_start_deletes_what_a_crash_has_left(open_store: OpenStore, tmp_path: Path) -> None:
    before = open_store()
    job = await before.put(draft(), audio())
    await before.close()
    for name in ("tr_1.audio", "tr_1.1.json", "tr_2.audio.new"):
        (tmp_path / "jobs" / "files" / name).write_bytes(b"left")
    after = open_store()
    assert files(tmp_path) == {f"{job.id}.audio"}
    (tmp_path / "jobs" / "files" / "tr_3.audio").write_bytes(b"of another process that is about to say so")
    open_store()
    assert "tr_3.audio" in files(tmp_path)
    await after.close()


async def test_a_clock_that_was_set_back_keeps_no_job_of_a_dead_process_for_longer_than_a_lease(
    open_store: OpenStore, clock: HandClock
) -> None:
    before = open_store()
    await before.put(draft(), audio())
    assert await before.claim() is not None
    await before.close()
    clock.now -= 3600
    after = open_store()
    assert await after.claim() is None
    clock.now += LEASE_SECONDS
    again = await after.claim()
    assert again is not None
    assert again.job.attempt == 2


@pytest.mark.parametrize("is_done", [False, True])
async def test_a_job_whose_file_is_gone_fails_at_the_start(
    open_store: OpenStore, tmp_path: Path, is_done: bool
) -> None:
    before = open_store()
    job, other = await before.put(draft(), audio()), await before.put(draft(), audio())
    found = await before.claim()
    assert found is not None
    if is_done:
        await before.finish(found.lease, b"words")
    await before.close()
    for name in files(tmp_path):
        if name.startswith(job.id):
            (tmp_path / "jobs" / "files" / name).unlink()
    after = open_store()
    failed = await after.get(ANN, job.id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error["code"] == "job_file_lost"
    assert (await after.get(ANN, other.id)).state == "queued"


async def test_an_upload_that_fills_the_disk_is_refused_and_leaves_nothing(
    store: JobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(JobStoreFull):
        await store.put(draft(), audio())
    assert files(tmp_path) == set()


async def test_of_jobs_that_come_at_once_no_more_are_taken_than_have_room(open_store: OpenStore) -> None:
    store = open_store(max_bytes=50_000)
    puts = [store.put(draft(f"key {n}", 1.0), audio(b"x" * 10_000)) for n in range(10)]
    found = await asyncio.gather(*puts, return_exceptions=True)
    assert sum(isinstance(one, JobStoreFull) for one in found) == 7
