"""The members of a tar archive as it comes, in bounded memory, with nothing written to a disk.

The standard library's own reader takes names and PAX headers of any size into memory, and keeps every member.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from whisper_runtime.engine.model.file_folder import BLOCK

MOST_HEADER: Final = 1 << 20
"""Bytes of one name, or of one member's PAX header."""
LONGEST_PATH: Final = 4096
MOST_MEMBERS: Final = 1 << 18
CHUNK: Final = 1 << 20
HEADERS: Final = {tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
SPARSE: Final = "GNU.sparse"
READ: Final = frozenset({"path", "linkpath", "size"})
"""Keys of a PAX header that count here, beside those that begin with SPARSE."""
NAMES: Final = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}


class NotAnArchive(Exception):
    """The message says what is wrong."""


@dataclass(frozen=True)
class Member:
    path: str
    """Without leading slash, and without `.` and `..`."""
    size: int
    at: int
    """Offset of its content in the archive."""
    is_file: bool
    link: str | None
    """What it is instead of a file or a folder; None: one of these."""


class TarStream:
    def __init__(self, read: Callable[[int], bytes], most: int) -> None:
        """`read` gives at most so many bytes, and none at the end; of more than `most` NotAnArchive is raised."""
        self._read, self._most = read, most
        self.at = 0

    def members(self) -> Iterator[Member]:
        """Each member; its content may be read by `content` until the next is asked for. Raises NotAnArchive, and what
        `read` raises."""
        extended: dict[str, str] = {}
        for _ in range(MOST_MEMBERS):
            if (info := self._header()) is None:
                return
            end = self.at + -(-_stored(info) // BLOCK) * BLOCK
            if info.type in HEADERS:
                extended |= self._extension(info)
            elif info.type != tarfile.XGLTYPE:
                member = _member(info, extended, self.at)
                end = self.at + -(-member.size // BLOCK) * BLOCK
                extended = {}
                yield member
            self.skip_to(end)
        raise NotAnArchive(f"it has more than {MOST_MEMBERS} members")

    def content(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes. Raises NotAnArchive where they end early."""
        while size:
            block = self._next(min(size, CHUNK))
            size -= len(block)
            yield block

    def skip_to(self, at: int) -> None:
        for _ in self.content(at - self.at):
            pass

    def drain(self) -> None:
        """Reads what follows the archive's end."""
        while block := self._read(CHUNK):
            self._count(block)

    def _header(self) -> tarfile.TarInfo | None:
        """The next header; None at the end, which some tools do not mark."""
        block = self._read(BLOCK)
        self._count(block)
        if block:
            block += b"".join(self.content(BLOCK - len(block)))
        if not any(block):
            return None
        try:
            return tarfile.TarInfo.frombuf(block, "utf-8", "backslashreplace")
        except (tarfile.HeaderError, ValueError) as error:
            raise NotAnArchive(f"at byte {self.at - BLOCK} is no header of tar ({error})") from None

    def _extension(self, info: tarfile.TarInfo) -> dict[str, str]:
        """What a header says of the member that follows it."""
        if info.size > MOST_HEADER:
            raise NotAnArchive(f"a header of it has {info.size} bytes, and at most {MOST_HEADER} are read")
        data = b"".join(self.content(info.size))
        if key := NAMES.get(info.type):
            return {key: data.rstrip(b"\0").decode("utf-8", "backslashreplace")}
        return _records(data)

    def _next(self, most: int) -> bytes:
        block = self._read(most)
        if not block:
            raise NotAnArchive(f"it ends at byte {self.at}, within a member: it was cut")
        self._count(block)
        return block

    def _count(self, block: bytes) -> None:
        self.at += len(block)
        if self.at > self._most:
            raise NotAnArchive(f"it has more than {self._most} bytes")


def _records(data: bytes) -> dict[str, str]:
    """The records of a PAX header (pax(1), `%d %s=%s\\n`) that count here. Raises NotAnArchive."""
    found: dict[str, str] = {}
    while data := data.lstrip(b"\0"):
        start = re.match(rb"([1-9][0-9]{0,6}) ", data)
        if start is None or not start.end() < int(start[1]) <= len(data):
            raise NotAnArchive("a PAX header of it has no record where one should be")
        key, _, value = data[start.end() : int(start[1]) - 1].partition(b"=")
        name = SPARSE if key.startswith(SPARSE.encode()) else key.decode("utf-8", "backslashreplace")
        if name in READ or name == SPARSE:
            found[name] = value.decode("utf-8", "backslashreplace")
        data = data[int(start[1]) :]
    return found


def _member(info: tarfile.TarInfo, extended: dict[str, str], at: int) -> Member:
    path, link = extended.get("path", info.name), None
    size = _stored(info)
    if _has_content(info) and (written := extended.get("size")) is not None:
        if not re.fullmatch("[0-9]{1,18}", written):
            raise NotAnArchive(f"{path[:200]!r} has the size {written[:50]!r}")
        size = int(written)
    if info.type == tarfile.GNUTYPE_SPARSE or SPARSE in extended:
        link = "stored as a sparse file"
    elif info.issym() or info.islnk():
        link = f"a link to {extended.get('linkpath', info.linkname)[:200]!r}"
    elif not (info.isreg() or info.isdir()):
        link = "a device, a pipe or another special file"
    return Member(plain_path(path), size, at, info.isreg() and link is None, link)


def _has_content(info: tarfile.TarInfo) -> bool:
    return info.isreg() or info.type not in tarfile.SUPPORTED_TYPES or info.type in HEADERS | {tarfile.XGLTYPE}


def _stored(info: tarfile.TarInfo) -> int:
    """Bytes that follow the header; those of links and folders have none, whatever it says."""
    if info.size < 0:
        raise NotAnArchive(f"{info.name[:200]!r} has the size {info.size}")
    return info.size if _has_content(info) else 0


def plain_path(path: str) -> str:
    """The path without what does not matter. Raises NotAnArchive where it leads out of its folder, or is too long."""
    if len(path) > LONGEST_PATH:
        raise NotAnArchive(f"a path of it has {len(path)} characters, and at most {LONGEST_PATH} are read")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise NotAnArchive(f"{path[:200]!r} leads out of its folder")
    return "/".join(parts)
