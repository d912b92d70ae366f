"""A folder is read as its archive from any offset, and has its archive's digest."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.hub_models import sharded
from whisper_runtime.fetch.errors import FetchError
from whisper_runtime.fetch.source_folder import (
    FolderFile,
    archive_blocks,
    archive_size,
    checkpoint_sha256,
    digest_like,
    folder_files,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "tune"
    made.mkdir()
    for name, content in sharded().items():
        (made / name).write_bytes(content)
    return made


def archive(folder: Path, offset: int = 0) -> bytes:
    return b"".join(archive_blocks("here", folder_files(folder), offset))


def test_every_offset_leads_into_the_same_archive(folder: Path) -> None:
    whole = archive(folder)
    assert len(whole) == archive_size(folder_files(folder))
    for offset in (1, 511, 512, 513, 1000, 5000, 400_000, len(whole) - 600, len(whole) - 1, len(whole)):
        assert archive(folder, offset) == whole[offset:]


def test_the_digest_is_that_of_the_archive_or_of_the_file(folder: Path) -> None:
    assert checkpoint_sha256(folder) == hashlib.sha256(archive(folder)).hexdigest()
    (folder.parent / "model.pt").write_bytes(b"weights")
    assert checkpoint_sha256(folder.parent / "model.pt") == hashlib.sha256(b"weights").hexdigest()


def test_the_digests_of_a_part_are_those_of_git_and_of_lfs(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before" + b"{}\n" + b"after")
    wanted = subprocess.run(["git", "hash-object", "--stdin"], input=b"{}\n", capture_output=True, check=True).stdout
    listed = (hashlib.sha256(b"{}\n").hexdigest(), wanted.decode().strip())
    assert tuple(digest_like(one, tmp_path / "file", 6, 3) for one in listed) == listed


def test_a_file_that_ends_early_ends_the_archive(folder: Path) -> None:
    @contextmanager
    def short(offset: int) -> Generator[Iterator[bytes], None, None]:
        yield iter([b"abc"])

    assert len(b"".join(archive_blocks("here", [FolderFile("a", 5, short)], 0))) == 512 + 3


def test_a_file_that_no_archive_holds_is_named(folder: Path) -> None:
    file = FolderFile("model.safetensors", 9 * 1024**3, folder_files(folder)[0].read)
    with pytest.raises(FetchError, match=r"here: model\.safetensors has 9663676416 bytes.* save the model in shards"):
        next(archive_blocks("here", [file], 0))
