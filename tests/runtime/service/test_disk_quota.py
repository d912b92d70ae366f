"""Requests share one disk, and each gives back what it has reserved."""

from __future__ import annotations

from pathlib import Path

import pytest

from whisper_runtime.errors import HttpError
from whisper_runtime.service.disk_quota import DiskQuota, scratch_dir_problem


def test_what_is_reserved_is_free_again_at_the_end_of_the_block() -> None:
    disk = DiskQuota(1000)
    with disk.reserve(400) as one, disk.reserve(600):
        assert disk.used == 1000
        one.shrink(100)
        assert disk.used == 700
    assert disk.used == 0


def test_a_full_disk_is_503_with_retry_after() -> None:
    disk = DiskQuota(1000)
    disk.reserve(600)
    with pytest.raises(HttpError) as error:
        disk.reserve(401)
    assert (error.value.status_code, error.value.body["code"]) == (503, "scratch_full")
    assert error.value.headers == {"Retry-After": "1"}
    assert disk.used == 600


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert scratch_dir_problem() is None
    monkeypatch.setenv("TMPDIR", "/nowhere")
    assert scratch_dir_problem() == (
        "TMPDIR is /nowhere, where no upload can be written (No such file or directory): mount a writable directory"
    )
