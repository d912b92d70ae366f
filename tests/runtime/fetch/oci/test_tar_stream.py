"""Members of an archive as it comes: Python's own reader is the judge, and hostile archives cost no memory."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pytest

from tests.support.oci_models import member, tar
from whisper_runtime.fetch.oci.tar_stream import MOST_HEADER, Member, NotAnArchive, TarStream, plain_path

LONG = "models/" + "deep/" * 60 + "a.pt"
FILES = {"a": b"1", "models/b.pt": b"2" * 2000, LONG: b"3" * 512, "grüße.pt": b"", "./last": b"4" * 513}


def stream(content: bytes, most: int = 1 << 30) -> TarStream:
    return TarStream(io.BytesIO(content).read, most)


def read(content: bytes, most: int = 1 << 30) -> list[tuple[Member, bytes]]:
    archive = stream(content, most)
    found = [(one, b"".join(archive.content(one.size))) for one in archive.members()]
    archive.drain()
    return found


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_every_member_is_where_pythons_own_reader_has_it(form: int) -> None:
    content = tar(FILES, form=form)
    found = read(content)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        wanted = [(one.name.removeprefix("./"), one.size, one.offset_data) for one in archive]
    assert [(one.path, one.size, one.at) for one, _ in found] == wanted
    assert [data for _, data in found] == [*FILES.values()]
    assert all(one.is_file and one.link is None for one, _ in found)


def test_content_need_not_be_read() -> None:
    archive = stream(tar(FILES))
    assert [one.path for one in archive.members()] == [plain_path(name) for name in FILES]


@pytest.mark.parametrize(
    ("kind", "link", "says"),
    [
        (tarfile.SYMTYPE, "../b", "a link to '../b'"),
        (tarfile.LNKTYPE, "models/b.pt", "a link to 'models/b.pt'"),
        (tarfile.CHRTYPE, "", "a device, a pipe or another special file"),
        (tarfile.FIFOTYPE, "", "a device, a pipe or another special file"),
        (tarfile.DIRTYPE, "", None),
    ],
)
def test_what_is_no_file_is_told(kind: bytes, link: str, says: str | None) -> None:
    ((found, _),) = read(tar({}, more=(member("models/a.pt", kind, link),)))
    assert (found.path, found.is_file, found.link) == ("models/a.pt", False, says)


def test_a_sparse_file_is_told() -> None:
    info = tarfile.TarInfo("a.pt")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    ((found, _),) = read(tar({}, more=(info,)))
    assert found.link == "stored as a sparse file"


def test_an_archive_without_the_blocks_that_mark_its_end() -> None:
    assert [one.path for one, _ in read(tar({"a": b"1"})[:1024])] == ["a"]


def with_size(size: bytes) -> bytes:
    """A header whose field of the size holds these bytes, its checksum right."""
    block = bytearray(tar({"a": b""})[:512])
    block[124:136] = size.ljust(12, b"\0")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def header_of(kind: bytes, size: int) -> bytes:
    info = member("x", kind)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


PAX = tarfile.XHDTYPE


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no archive".ljust(512), "at byte 0 is no header of tar"),
        (tar({"a": b"1"})[:300], "it ends at byte 300, within a member"),
        (tar({"a": b"1" * 999})[:1200], "it ends at byte 1200, within a member"),
        (with_size(b"\xff" + b"\xff" * 11), "has the size -"),
        (with_size(b"\x80" + b"\xff" * 11), "within a member"),
        (header_of(PAX, MOST_HEADER + 1), f"a header of it has {MOST_HEADER + 1} bytes"),
        (header_of(tarfile.GNUTYPE_LONGNAME, 1 << 40), "a header of it has 1099511627776 bytes"),
        (header_of(PAX, 8) + b"99 a=bc\n".ljust(512, b"\0"), "has no record where one should be"),
        (header_of(PAX, 8) + b"2 a=bcd\n".ljust(512, b"\0"), "has no record where one should be"),
        (header_of(PAX, 9) + b"9 size=x\n".ljust(512, b"\0") + header_of(tarfile.REGTYPE, 0), "has the size 'x'"),
        (tar({"../a": b""}), "'../a' leads out of its folder"),
        (tar({"a/../../b": b""}), "leads out of its folder"),
        (tar({"a" * 4097: b""}), "a path of it has 4097 characters"),
    ],
)
def test_a_damaged_archive_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(NotAnArchive, match=says):
        read(content)


def endless(block: bytes) -> Callable[[int], bytes]:
    """An archive that repeats the block for ever."""
    left = b""

    def read(most: int) -> bytes:
        nonlocal left
        left = left or block * 64
        taken, left = left[:most], left[most:]
        return taken

    return read


def test_an_archive_without_an_end_is_given_up() -> None:
    with pytest.raises(NotAnArchive, match="it has more than 262144 members"):
        for _ in TarStream(endless(header_of(tarfile.DIRTYPE, 0)), 1 << 40).members():
            pass
    with pytest.raises(NotAnArchive, match="it has more than 100000 bytes"):
        for _ in TarStream(endless(header_of(tarfile.REGTYPE, 1 << 30)), 100_000).members():
            pass
    with pytest.raises(NotAnArchive, match="it has more than 1000000 bytes"):
        TarStream(endless(bytes(512)), 1_000_000).drain()


@pytest.mark.parametrize(("path", "plain"), [("/a", "a"), ("./a//b/.", "a/b"), ("...", "..."), ("", "")])
def test_a_path_is_told_plainly(path: str, plain: str) -> None:
    assert plain_path(path) == plain
