"""A file that has its name is whole; who opens the directory alone is told so."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from contextlib import closing
from pathlib import Path
from typing import IO

import pytest

from tests.support.waiting import eventually_async
from whisper_runtime.service.jobs.files import JobFiles, StoredFiles


def test_a_file_that_is_not_written_to_its_end_has_no_name(tmp_path: Path) -> None:
    class Breaks:
        def read(self, _: int) -> bytes:
            assert os.listdir(tmp_path / "files") == ["a.audio.new"]
            raise ValueError("the upload was closed")

    with closing(JobFiles(tmp_path / "files")) as opened, pytest.raises(ValueError, match="closed"):
        opened.write("a.audio", Breaks())  # pyright: ignore[reportArgumentType]
    assert os.listdir(tmp_path / "files") == []


def test_a_file_is_there_under_its_name_until_it_is_deleted(tmp_path: Path) -> None:
    with closing(JobFiles(tmp_path / "files")) as opened:
        opened.write("a", io.BytesIO(b"content"))
        with opened.open("a") as file:
            assert file.read() == b"content"
        assert opened.names() == {"a"}
        opened.delete(["a", "b"])
        assert opened.names() == set()


async def test_a_task_that_is_cancelled_while_it_opens_leaves_no_file_open(tmp_path: Path) -> None:
    """As a batch's is, when the server stops."""
    began, goes_on, opened = threading.Event(), threading.Event(), list[IO[bytes]]()

    class SlowFiles(StoredFiles):
        def open(self, name: str) -> IO[bytes]:
            began.set()
            goes_on.wait()
            opened.append(super().open(name))
            return opened[0]

    files = SlowFiles(tmp_path)
    files.write("a", io.BytesIO(b"content"))
    opening = asyncio.create_task(files.open_in_thread("a"))
    await asyncio.to_thread(began.wait)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    goes_on.set()
    await eventually_async("the file is closed", lambda: opened and opened[0].closed)


def test_a_directory_is_one_process_alone_until_another_opens_it(tmp_path: Path) -> None:
    with closing(JobFiles(tmp_path / "files")) as first:
        assert first.is_alone
        first.share()
        with closing(JobFiles(tmp_path / "files")) as second:
            assert not second.is_alone
            second.share()
    with closing(JobFiles(tmp_path / "files")) as later:
        assert later.is_alone
