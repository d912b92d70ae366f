"""Requests share one disk: each has what has come of it, and gives it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from whisper_runtime.errors import HttpError
from whisper_runtime.service.disk_quota import STEP, DiskQuota, Reservation, scratch_dir_problem


def filled(disk: DiskQuota, size: int, client: str = "alice") -> Reservation:
    """What one file of the client takes."""
    found = disk.reservation(client)
    found.set(size)
    return found


def refusal(of: Reservation, size: int) -> tuple[int, str, str]:
    """Status, code and Retry-After of the refusal of a file that becomes so large."""
    before = of.size
    with pytest.raises(HttpError) as error:
        of.cover(size)
    assert of.size == before
    return error.value.status_code, str(error.value.body["code"]), (error.value.headers or {})["Retry-After"]


def test_what_is_reserved_is_free_again_at_the_end_of_the_block() -> None:
    disk = DiskQuota(1000)
    with disk.reservation("alice") as one, disk.reservation("bob") as other:
        one.set(400)
        other.set(600)
        assert disk.used == 1000
        one.set(100)
        assert disk.used == 700
    assert disk.used == 0


def test_what_is_only_announced_takes_nothing_and_what_comes_takes_a_step_at_a_time() -> None:
    disk = DiskQuota(100 * STEP)
    upload = disk.reservation("alice")
    sizes: list[int] = []
    for received in (1, STEP, STEP + 1, 2 * STEP + STEP // 4):
        upload.cover(received, most=2 * STEP + STEP // 2)
        sizes.append(disk.used)
    assert sizes == [STEP, STEP, 2 * STEP, 2 * STEP + STEP // 2]


def test_a_step_ahead_is_no_reason_to_refuse() -> None:
    disk = DiskQuota(STEP // 2)
    disk.reservation("alice").cover(100)
    assert disk.used == STEP // 2


def test_a_full_disk_is_503_with_retry_after() -> None:
    disk = DiskQuota(1000)
    filled(disk, 600)
    assert refusal(disk.reservation("bob"), 401) == (503, "scratch_full", "1")
    assert disk.used == 600


def test_a_client_that_fills_the_disk_leaves_as_much_to_others_as_it_has() -> None:
    disk = DiskQuota(1000)
    for _ in range(4):
        filled(disk, 120)
    assert refusal(disk.reservation("alice"), 120) == (429, "client_scratch_full", "1")
    filled(disk, 200, "bob")
    filled(disk, 200, "carol")


def test_the_one_file_of_a_client_may_take_all_that_is_free() -> None:
    disk = DiskQuota(1000)
    filled(disk, 900)
    assert refusal(disk.reservation("alice"), 10)[1] == "client_scratch_full"
    filled(disk, 90, "bob")


def test_an_upload_and_its_samples_are_one_file() -> None:
    disk = DiskQuota(1000)
    upload = filled(disk, 300)
    samples = disk.reservation("alice", beside=upload)
    samples.set(600)
    assert refusal(disk.reservation("alice"), 100)[1] == "client_scratch_full"


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert scratch_dir_problem() is None
    monkeypatch.setenv("TMPDIR", "/nowhere")
    assert scratch_dir_problem() == (
        "TMPDIR is /nowhere, where no upload can be written (No such file or directory): mount a writable directory"
    )
