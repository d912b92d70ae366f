"""A recording ends where its last unit does, by the sizes in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.media_files import speech_as
from whisper_runtime.media.container_end import end_of

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
}


@pytest.mark.parametrize(("name", "options"), FORMS.items())
def test_it_ends_before_what_is_behind_it(jfk: Path, tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    content = speech_as(jfk, tmp_path / name, *options).read_bytes()
    assert end_of(content + BEHIND) == end_of(content) == len(content)


@pytest.mark.parametrize("name", ["a.flac", "a.mp3", "a.ts"])
def test_a_form_without_sizes_tells_no_end(jfk: Path, tmp_path: Path, name: str) -> None:
    assert end_of(speech_as(jfk, tmp_path / name).read_bytes()) is None


def test_a_webm_that_was_streamed_ends_with_its_file(jfk: Path, tmp_path: Path) -> None:
    content = speech_as(jfk, tmp_path / "a.webm", "-live", "1").read_bytes() + BEHIND
    assert end_of(content) == len(content)


def test_what_is_cut_ends_with_the_last_unit_that_is_whole(jfk: Path, tmp_path: Path) -> None:
    content = speech_as(jfk, tmp_path / "a.opus").read_bytes()
    last = content.rfind(b"OggS")
    assert end_of(content[:-1]) == last


@pytest.mark.parametrize("begin", [b"OggS\0", b".snd\0", b"RIFF", b"FORM\0", b"caff\0\1", b"wvpk", b"\0\0\0\x20ftyp"])
def test_less_than_a_unit_ends_where_it_begins(begin: bytes) -> None:
    assert end_of(begin) in (0, 8 if begin[:4] == b"caff" else 0)
