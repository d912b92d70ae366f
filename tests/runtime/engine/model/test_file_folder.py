"""A folder's archive is what GNU tar writes, as docs/how-to/model-sources.md has it, and is read as the folder is."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from whisper_runtime.engine.model.file_folder import NotLoadable, end, header, is_archive, map_files, padding

FILES = {"config.json": b"{}", "model-00001-of-00002.safetensors": bytes(range(256)) * 3, "vocab.json": b"v" * 512}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    for name, content in FILES.items():
        (made / name).write_bytes(content)
    return made


def test_an_archive_is_that_of_gnu_tar_byte_for_byte(folder: Path) -> None:
    how = "--format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=0644 --mtime=@0"
    wanted = subprocess.run(
        ["tar", *how.split(), "-cf", "-", *sorted(FILES)], cwd=folder, check=True, capture_output=True
    ).stdout
    parts = b"".join(header(name, len(content)) + content + padding(len(content)) for name, content in FILES.items())
    assert parts + end(len(parts)) == wanted
    assert is_archive(wanted)
    assert not is_archive(b"PK\x03\x04")


@pytest.mark.parametrize("form", ["ustar", "gnu", "pax"])
def test_an_archive_by_any_tar_is_read_as_the_folder(folder: Path, tmp_path: Path, form: str) -> None:
    (folder / "runs").mkdir()
    (folder / "runs" / "config.json").write_bytes(b"other")
    (folder / "link").symlink_to("/etc/passwd")
    subprocess.run(["tar", f"--format={form}", "-cf", tmp_path / "a.tar", "-C", folder, "."], check=True)
    (folder / "link").unlink()
    for path in (folder, tmp_path / "a.tar"):
        assert {name: file.read(1000) for name, file in map_files(path).items()} == FILES


def test_a_file_that_is_read_whole_has_a_bound(folder: Path) -> None:
    with pytest.raises(NotLoadable, match=r"vocab\.json has 512 bytes, and at most 511 are read"):
        map_files(folder)["vocab.json"].read(511)


def test_an_archive_that_was_cut_is_refused(folder: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.add(folder / "vocab.json", "vocab.json")
    whole = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[:700])
    with pytest.raises(NotLoadable):
        map_files(tmp_path / "a.tar")


@pytest.mark.parametrize(("name", "size"), [("", 1), ("n" * 101, 1), ("a", 8 * 1024**3)])
def test_what_no_header_can_say(name: str, size: int) -> None:
    with pytest.raises(ValueError, match="does not fit into an archive"):
        header(name, size)
