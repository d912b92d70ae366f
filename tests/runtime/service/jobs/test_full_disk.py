"""A store on a disk that others have filled: nothing is lost, jobs can be ended and deleted, and it opens."""

from __future__ import annotations

import asyncio
import io
import os
import sqlite3
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from testbed.paths import REPOSITORY
from tests.runtime.service.jobs.conftest import draft
from whisper_runtime.service.jobs.disk_reserve import RESERVE_BYTES
from whisper_runtime.service.jobs.job import JobStoreFull
from whisper_runtime.service.jobs.sqlite_store import RESERVE, SqliteJobStore, is_disk_full

ON_A_DISK_OF_ITS_OWN = 'mount -t tmpfs -o size=6m tmpfs "$0" && exec "$@"'
ANN = "key ann"
FILL = "filled"


@pytest.fixture
def kind() -> str:
    """Those of SQLite alone."""
    return "sqlite"


def open_store(disk: Path) -> SqliteJobStore:
    return SqliteJobStore(disk, max_bytes=1 << 30, keep_seconds=3600)


def fill(disk: Path) -> None:
    """Leaves no byte."""
    with (disk / FILL).open("ab", buffering=0) as file:
        for size in (4096, 1):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    assert os.statvfs(disk).f_bavail == 0


async def on_a_full_disk(disk: Path) -> None:
    store = open_store(disk)
    for _ in range(3):
        await store.put(draft(), io.BytesIO(b"audio"))
    first, second = await store.claim(), await store.claim()
    assert first is not None
    assert second is not None
    await store.finish(first.lease, b"words")
    fill(disk)

    with pytest.raises(JobStoreFull, match=r"disk .* is full"):
        await store.put(draft(), io.BytesIO(b"audio"))
    assert (disk / RESERVE).stat().st_size == RESERVE_BYTES  # of which an upload gets nothing
    await store.fail(second.lease, {"message": "bad", "type": "x", "param": None, "code": "bad"})
    await store.delete(ANN, first.lease.job_id)
    await store.expire()
    await store.close()
    store = open_store(disk)
    assert (await store.get(ANN, second.lease.job_id)).state == "failed"
    (disk / FILL).unlink()
    assert (await store.put(draft(), io.BytesIO(b"audio"))).state == "queued"
    await store.expire()
    assert (disk / RESERVE).stat().st_size == RESERVE_BYTES  # for the next time
    await store.close()

    (disk / RESERVE).unlink()
    fill(disk)
    with pytest.raises(sqlite3.Error) as told:
        open_store(disk)
    assert is_disk_full(told.value)


def test_on_a_full_disk_jobs_end_and_are_deleted_and_uploads_are_refused(tmp_path: Path) -> None:
    scenario = (sys.executable, "-m", __name__, str(tmp_path))
    namespace = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", ON_A_DISK_OF_ITS_OWN, str(tmp_path))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run((*namespace, *scenario), cwd=REPOSITORY, env=environment, check=True)


if __name__ == "__main__":
    asyncio.run(on_a_full_disk(Path(sys.argv[1])))
