"""A partial file counts and hashes its bytes, those of an earlier process included."""

from __future__ import annotations

import hashlib
from pathlib import Path

from whisper_runtime.fetch.partial import PartialFile, sha256_of


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_new_file_is_empty(tmp_path: Path) -> None:
    with PartialFile.open(tmp_path / "partial") as file:
        assert (file.size, file.digest) == (0, sha256(b""))


def test_it_goes_on_with_the_bytes_of_an_earlier_process(tmp_path: Path) -> None:
    path = tmp_path / "partial"
    path.write_bytes(b"first ")
    with PartialFile.open(path) as file:
        assert (file.size, file.digest) == (6, sha256(b"first "))
        file.append(b"second")
        file.save()
        assert (file.size, file.digest) == (12, sha256(b"first second"))
        assert path.read_bytes() == b"first second"
    assert sha256_of(path) == sha256(b"first second")


def test_a_restart_drops_everything(tmp_path: Path) -> None:
    path = tmp_path / "partial"
    path.write_bytes(b"of another file")
    with PartialFile.open(path) as file:
        file.restart()
        file.append(b"new")
        assert (file.size, file.digest) == (3, sha256(b"new"))
    assert path.read_bytes() == b"new"
