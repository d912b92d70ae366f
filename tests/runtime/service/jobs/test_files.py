"""A file that has its name is whole; who opens the directory alone is told so."""

from __future__ import annotations

import io
import os
from contextlib import closing
from pathlib import Path

import pytest

from whisper_runtime.service.jobs.files import JobFiles


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


def test_a_directory_is_one_process_alone_until_another_opens_it(tmp_path: Path) -> None:
    with closing(JobFiles(tmp_path / "files")) as first:
        assert first.is_alone
        first.share()
        with closing(JobFiles(tmp_path / "files")) as second:
            assert not second.is_alone
            second.share()
    with closing(JobFiles(tmp_path / "files")) as later:
        assert later.is_alone
