"""What is kept beside a job is small; what is kept as a file leaves nothing beside it."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from whisper_runtime.service.jobs.files import StoredFiles
from whisper_runtime.service.jobs.job import JobStoreFull
from whisper_runtime.service.jobs.kept_contents import MOST_BESIDE_BYTES, BesideJobs, SharedFiles


async def test_what_is_kept_beside_a_job_is_all_that_was_left_to_read() -> None:
    contents, content = BesideJobs(), io.BytesIO(b"a recording")
    content.read(2)
    beside = await contents.keep("a", content)
    with await contents.open("a", beside) as file:
        assert file.read() == b"recording"
        assert os.fstat(file.fileno()).st_size == 9  # ffmpeg is given it
    with pytest.raises(FileNotFoundError):
        await contents.open("a", b"")


async def test_what_is_too_large_beside_a_job_is_refused() -> None:
    assert len(await BesideJobs().keep("a", io.BytesIO(bytes(MOST_BESIDE_BYTES)))) == MOST_BESIDE_BYTES
    with pytest.raises(JobStoreFull, match="in parts"):
        await BesideJobs().keep("a", io.BytesIO(bytes(MOST_BESIDE_BYTES + 1)))


async def test_a_file_is_kept_until_it_is_deleted(tmp_path: Path) -> None:
    contents = SharedFiles(StoredFiles(tmp_path / "files"))
    assert await contents.keep("a", io.BytesIO(b"words")) == b""
    with await contents.open("a", b"") as file:
        assert file.read() == b"words"
    await contents.delete(["a", "b"])
    with pytest.raises(FileNotFoundError):
        await contents.open("a", b"")


async def test_a_disk_without_room_is_said_to_be_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = StoredFiles(tmp_path / "files")

    def full(name: str, content: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write", full)
    with pytest.raises(JobStoreFull, match="disk"):
        await SharedFiles(files).keep("a", io.BytesIO(b"words"))
