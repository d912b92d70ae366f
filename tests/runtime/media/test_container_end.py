"""A recording ends where its last unit does, by the sizes in it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support.media_files import speech_as
from whisper_runtime.media.container_end import End, end_of
from whisper_runtime.media.joined import has_another_form

BEHIND = b"something else that is no unit of any form"
FORMS = {
    "a.m4a": (),
    "a.mp4": ("-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
    "a.aiff": (),
    "a.avi": (),
    "a.caf": (),
    "a.wma": (),
    "a.wv": (),
    "a.opus": (),
    "a.webm": (),
    "a.au": (),
    "a.flv": (),
    "a.w64": (),
    "a.mov": ("-c:a", "pcm_s16le"),
}


@pytest.mark.parametrize(("name", "options"), FORMS.items())
def test_it_ends_before_what_is_behind_it(jfk: Path, tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    content = speech_as(jfk, tmp_path / name, *options).read_bytes()
    ends = [end.at for one in (content, content + BEHIND) if (end := end_of(one))]
    assert ends == [len(content)] * 2


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.ts"])
def test_a_form_without_sizes_tells_no_end(jfk: Path, tmp_path: Path, name: str) -> None:
    assert end_of(speech_as(jfk, tmp_path / name).read_bytes()) is None


def test_a_size_that_is_not_known_goes_to_the_files_end(jfk: Path, tmp_path: Path) -> None:
    content = speech_as(jfk, tmp_path / "a.avi").read_bytes()
    for size in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
        assert end_of(content[:4] + size + content[8:] + BEHIND) == End(0, 0, is_cut=True)


def test_what_is_cut_ends_with_the_last_unit_that_is_whole(jfk: Path, tmp_path: Path) -> None:
    content = speech_as(jfk, tmp_path / "a.opus").read_bytes()
    last = content.rfind(b"OggS")
    assert end_of(content[:-1]) == End(content.rfind(b"OggS", 0, last), last, is_cut=True)


@pytest.mark.parametrize("begin", [b"OggS\0", b".snd\0", b"RIFF", b"FORM\0", b"caff\0\1", b"wvpk", b"\0\0\0\x20ftyp"])
def test_less_than_a_unit_ends_where_it_begins(begin: bytes) -> None:
    end = end_of(begin)
    assert end
    assert end.at in (0, 8 if begin[:4] == b"caff" else 0)


W64 = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0" + bytes(24)
AIFF = b"FORM\0\1\0\0AIFFCOMM\0\0\0\x12" + bytes(18)


@pytest.mark.parametrize("kept", [W64, AIFF, b"OggS\0\2" + bytes(22)], ids=["W64", "AIFF", "any"])
def test_what_the_header_of_a_flac_or_an_ape_keeps_is_no_recording(jfk: Path, tmp_path: Path, kept: bytes) -> None:
    """`flac --keep-foreign-metadata` and Monkey's Audio keep the header of what they encode."""
    made = speech_as(jfk, tmp_path / "a.flac").read_bytes()
    block = (
        bytes((2, *(4 + len(kept)).to_bytes(3, "big"))) + b"w64 " + kept
    )  # behind fLaC and the 38 bytes of the first
    flac = made[:42] + block + made[42:]
    sizes = b"".join(size.to_bytes(4, "little") for size in (52, 24, 8, len(kept)))
    ape = b"MAC \x96\x0f\0\0" + sizes + bytes(52 + 24 + 8 - 24) + kept + random.Random(20).randbytes(5000)
    for one in (flac, ape):
        assert [has_another_form(one), has_another_form(one + jfk.read_bytes())] == [False, True]


@pytest.mark.parametrize("size", [0, 4, 7, 8, 12, 23, 41, 60])
def test_a_header_that_was_cut_is_none_either(jfk: Path, tmp_path: Path, size: int) -> None:
    flac = speech_as(jfk, tmp_path / "a.flac").read_bytes()[:size]
    ape = (b"MAC \x96\x0f\0\0" + b"\x34\0\0\0" * 4 + bytes(100))[:size]
    assert [has_another_form(flac), has_another_form(ape)] == [False, False]
