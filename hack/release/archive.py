"""Archives that are the same, byte for byte, whenever and by whomever they are made."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ArchivedFile:
    content: bytes
    is_executable: bool = False


def tree(folder: Path) -> dict[str, ArchivedFile]:
    """Every file below `folder`, by its path in it."""
    return {
        file.relative_to(folder).as_posix(): ArchivedFile(file.read_bytes(), bool(file.stat().st_mode & 0o100))
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def write_tgz(target: Path, files: Mapping[str, ArchivedFile], modified: int) -> None:
    """Writes `files`, in the order of their paths, as of the time `modified` (seconds since 1970)."""
    with (
        target.open("wb") as stream,
        # Without a name, and with the time of the files, for gzip keeps both in its header.
        gzip.GzipFile(filename="", fileobj=stream, mode="wb", compresslevel=6, mtime=modified) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, file in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(file.content), modified
            entry.mode = 0o755 if file.is_executable else 0o644
            archive.addfile(entry, io.BytesIO(file.content))
