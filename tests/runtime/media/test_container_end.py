"""A recording ends where its last unit does, by the sizes in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.media_files import speech_as
from whisper_runtime.media.container_end import End, end_of

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
