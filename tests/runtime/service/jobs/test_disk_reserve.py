"""The disk that a store keeps back; test_full_disk.py has what it is for."""

from __future__ import annotations

from pathlib import Path

from whisper_runtime.service.jobs.disk_reserve import RESERVE_BYTES, DiskReserve


def test_a_reserve_is_released_once(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path / "reserve")
    assert not reserve.release()
    reserve.hold()
    reserve.hold()
    assert (tmp_path / "reserve").stat().st_size == RESERVE_BYTES
    assert [reserve.release(), reserve.release()] == [True, False]
