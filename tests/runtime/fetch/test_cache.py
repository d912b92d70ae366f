"""A volume that is full, or fails, is reported as such, with its content; leftovers are removed first."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.fakes.mirror import Mirror
from tests.runtime.fetch.conftest import digest, fetched
from whisper_runtime.fetch import cache as caches
from whisper_runtime.fetch.partial import PartialFile


def test_a_volume_that_fills_while_it_is_written_is_reported_with_its_content(
    mirror: Mirror, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a source that does not tell its size, or a quota, the shortage cannot be known beforehand."""

    def full(*_: object) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    cache.mkdir()
    (cache / "large-0123456789ab.pt").write_bytes(bytes(1000))
    monkeypatch.setattr(PartialFile, "append", full)
    report = fetched(cache, mirror.url, digest(mirror.content))
    assert report.reason == "NoSpace"
    assert (
        "no more can be written; it holds large-0123456789ab.pt (1000 bytes): raise spec.cache.size" in report.message
    )
    assert report.files == {"large-0123456789ab.pt": 1000}


def test_a_full_cache_is_reported_with_the_missing_bytes_and_its_content(
    mirror: Mirror, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.mkdir()
    (cache / "large-0123456789ab.pt").write_bytes(bytes(1000))
    (cache / "base-0123456789ab.pt").write_bytes(bytes(10))
    monkeypatch.setattr(caches.shutil, "disk_usage", lambda _: SimpleNamespace(free=100))
    report = fetched(cache, mirror.url, digest(mirror.content))
    assert report.reason == "NoSpace"
    assert (
        f"{len(mirror.content)} bytes are needed, 100 are free, {len(mirror.content) - 100} are missing"
        in report.message
    )
    assert report.files == {"large-0123456789ab.pt": 1000, "base-0123456789ab.pt": 10}


def test_leftovers_make_room_first(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir()
    names = [".left-0123456789ab.pt.partial", ".used-0123456789ab.pt.partial", ".killed-0123456789ab.pt.partial"]
    locks = [".used-0123456789ab.pt.lock", ".killed-0123456789ab.pt.lock"]
    for name in (".quarantine/a.pt", *names, *locks, "base-0123456789ab.pt"):
        (cache / name).parent.mkdir(exist_ok=True)
        (cache / name).write_bytes(bytes(10))
    os.utime(cache / locks[1], (0, 0))
    monkeypatch.setattr(caches.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(caches.FetchError):
        caches.make_room(cache, 1)
    left = sorted(file.name for file in cache.iterdir())
    assert left == sorted([*locks, names[1], "base-0123456789ab.pt"])


@pytest.mark.parametrize(
    ("code", "reason", "says"),
    [
        (errno.ENOSPC, "NoSpace", "is full: no more can be written; it holds no checkpoint: raise spec.cache.size"),
        (errno.EROFS, "CacheNotWritable", "Read-only file system"),
        (errno.EIO, "CacheNotWritable", "Input/output error"),
    ],
)
def test_a_volume_that_fails_is_reported_as_such(
    mirror: Mirror, cache: Path, monkeypatch: pytest.MonkeyPatch, code: int, reason: str, says: str
) -> None:
    def failing(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(caches, "publish", failing)
    report = fetched(cache, mirror.url, digest(mirror.content))
    assert report.reason == reason
    assert says in report.message


def test_a_cache_that_is_not_a_directory(mirror: Mirror, cache: Path) -> None:
    cache.write_text("a file where a directory should be")
    report = fetched(cache, mirror.url, digest(mirror.content))
    assert report.reason == "CacheNotWritable"
