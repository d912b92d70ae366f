"""Whether a file's end is missing, by what its last bytes are a part of."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.support.media_files import speech_as
from whisper_runtime.media.ending import SLACK, Ending, ending_of


def ending(content: bytes) -> Ending:
    return ending_of(lambda count, at: content[at : at + count], len(content))


FRAGMENTS = ("-c:a", "aac", "-movflags", "frag_keyframe+empty_moov", "-frag_duration", "1000000")


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.ogg", ()), ("a.opus", ()), ("a.flv", ()), ("a.nut", ()), ("a.voc", ()), ("a.mp4", FRAGMENTS), ("a.m4a", ())],
)
def test_a_file_that_was_cut_ends_abruptly(jfk: Path, tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    content = speech_as(jfk, tmp_path / name, *options).read_bytes()
    assert not ending(content).is_abrupt
    for share in (0.9, 0.5, 0.3):
        assert ending(content[: int(len(content) * share)]).is_abrupt


PAGE = b"OggS\0" + bytes(21) + b"\2\3\4" + bytes(7)


@pytest.mark.parametrize(
    ("content", "is_abrupt"),
    [
        (PAGE, False),
        (PAGE + b"no page", False),
        (PAGE + PAGE[:-1], True),
        (PAGE + PAGE[:27], True),
        (PAGE + PAGE[:9], True),
        (b"OggS", True),
        (b"FLV\1" + bytes(9), False),
        (b"FLV\1" + bytes(9) + b"\x08\0\0\1" + bytes(8) + struct.pack(">I", 12), False),
        (b"FLV\1" + bytes(9) + b"\x08\0\0\1" + bytes(8) + struct.pack(">I", 13), True),
        (b"FLV\1" + bytes(9) + b"\x08\0\0\1" + bytes(8) + struct.pack(">I", 0), False),  # its writer leaves it so
        (b"FLV\1", True),
        (b"nut/", True),
        (b"Creative Voice File".ljust(26, b"\0") + b"\1\2\0\0--", False),
        (b"Creative Voice File".ljust(26, b"\0") + b"\1\2\0\0--\0", False),
        (b"Creative Voice File".ljust(26, b"\0") + b"\1\x22\0\0--", False),  # sox counts its own header
        (b"Creative Voice File".ljust(26, b"\0") + b"\1\x23\0\0--", True),
        (b"#!AMR\n" + b"\x04" + bytes(12) + b"\x3c" + bytes(31), False),
        (b"#!AMR\n" + b"\x04" + bytes(12) + b"\x3c" + bytes(30), True),
        (b"#!AMR-WB\n" + b"\x04" + bytes(17) + b"\x44" + bytes(60), False),
        (b"#!AMR-WB\n" + b"\x04" + bytes(17) + b"\x44" + bytes(59), True),
        (b"#!AMR\n" + b"\x7c" * 5, False),  # frames without data
        (b"\x1f\x07\0\0".ljust(120_000, b"\0"), False),
        (b"\x1f\x07\0\x80".ljust(288_000, b"\0"), False),
        (b"\x1f\x07\0\x80".ljust(120_000, b"\0"), True),
        (b"\0\0\0\x08ftyp\0\0\0\x0amdat--", False),
        (b"\0\0\0\x08ftyp\0\0\0\x0bmdat--", True),
        (b"\0\0\0\x08ftyp\0\0\0\x00mdat--", False),  # up to the end, wherever that is
        (b"\0\0\0\x08ftyp\0\0\0\x01mdat" + struct.pack(">Q", 100), True),
        (b"\0\0\0\x08ftyp\0\0\0\x09ABCD", False),  # a title behind the last box
        (b"RIFF", False),
        (b"", False),
    ],
)
def test_by_the_last_bytes(content: bytes, is_abrupt: bool) -> None:
    assert ending(content).is_abrupt == is_abrupt


def test_the_length_of_the_whole_by_the_share_of_bytes_that_is_there() -> None:
    assert Ending(250, 1000).promised_seconds(3) == 12
    assert (Ending(1000, 1000).promised_seconds(3), Ending(0, 1000).promised_seconds(3)) == (0, 0)


def test_a_size_may_count_its_own_header() -> None:
    assert [Ending(1000, 1000 + missing).lacks_bytes for missing in (0, SLACK, SLACK + 1)] == [False, False, True]
