"""A stream of frames that was cut ends within one, as its header says: nothing else does."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.media_files import ffmpeg, speech_as
from whisper_runtime.media.byte_search import BYTES_PER_TRY, TRIES_OF_ANY
from whisper_runtime.media.frames import (
    GAPS_LIMIT,
    KINDS,
    LONG_CHAIN,
    ends_within_a_frame,
    frames_of,
    title_size,
)

STEREO = ("-ar", "48000", "-ac", "2")
KINDS_OF_FILES = [
    ("a.aac", ()),
    ("a.mp3", ("-write_xing", "0")),
    ("a.mp3", ("-ar", "44100", "-b:a", "320k", "-id3v2_version", "0")),
    ("a.mp3", ("-ar", "8000", "-write_xing", "0")),
    ("a.mp2", ()),
    ("a.ac3", ("-ar", "48000")),
    ("a.ac3", ("-ar", "44100")),
    ("a.ac3", ("-ar", "32000")),
    ("a.eac3", ()),
    ("a.dts", ()),
    ("a.loas", ()),
    ("a.thd", ()),
    ("a.ts", ("-c:a", "aac")),
    ("a.m2ts", ("-c:a", "ac3", *STEREO)),
    ("a.mpg", ("-c:a", "mp2", *STEREO)),
    ("a.vob", ("-c:a", "ac3", *STEREO)),
]


def is_cut(content: bytes) -> bool:
    return ends_within_a_frame(lambda count, at: content[at : at + count], len(content))


@pytest.mark.parametrize(("name", "options"), KINDS_OF_FILES)
def test_where_a_stream_begins_its_frames_follow_each_other(
    jfk: Path, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    content = speech_as(jfk, tmp_path / name, "-id3v2_version", "0", *options).read_bytes()
    found = frames_of(content, 0, searched=0)
    assert found
    assert frames_of(content, 1, searched=0) is None
    assert frames_of(content[100:], 0, searched=6000) == found
    assert not found.is_told or list(found.gaps(content, 0)) == []


@pytest.mark.parametrize("content", [b"", b"\xff\xfb", b"\xff" * 4096, bytes(4096)])
def test_samples_and_silence_are_no_frames(content: bytes) -> None:
    assert frames_of(content, 0, searched=4096) is None


@pytest.mark.parametrize(("name", "options"), KINDS_OF_FILES)
def test_a_stream_that_was_cut_ends_within_a_frame(
    jfk: Path, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    content = speech_as(jfk, tmp_path / name, *options).read_bytes()
    assert not is_cut(content)
    ends = [int(len(content) * share) + more for share in (0.9, 0.6, 0.4) for more in (1, 2, 3)]
    assert sum(is_cut(content[:end]) for end in ends) >= 7  # the others are between two frames


def test_a_title_before_or_behind_the_frames_is_none(jfk: Path, tmp_path: Path) -> None:
    titled = speech_as(jfk, tmp_path / "a.mp3", "-metadata", "title=" + "a" * 3000, "-write_id3v1", "1").read_bytes()
    assert title_size(lambda count, at: titled[at : at + count]) > 3000
    assert not is_cut(titled)
    assert is_cut(titled[:-400])


def test_nor_is_garbage_behind_them_or_between_them(jfk: Path, tmp_path: Path) -> None:
    content = speech_as(jfk, tmp_path / "a.mp3", "-write_xing", "0").read_bytes()
    garbage = random.Random(20).randbytes(5000)
    assert not is_cut(content + garbage)
    assert not is_cut(content + bytes(5000))
    assert not is_cut(content[:30_000] + garbage + content)
    assert is_cut(content[:30_000] + garbage + content[:-30])


def test_what_is_between_frames_is_a_gap(jfk: Path, tmp_path: Path) -> None:
    content = speech_as(jfk, tmp_path / "a.mp2").read_bytes()
    garbage, size = random.Random(20).randbytes(5000), len(content)
    kind = frames_of(content, 0, searched=0)
    assert kind
    assert list(kind.gaps(content + garbage + content, 0)) == [(size - 1440, size, size + 5000)]
    assert list(kind.gaps(content[:-100] + content[100:] + garbage, 0))[-1][1:] == (2 * size - 200, 2 * size + 4800)


def test_a_film_in_a_program_stream(jfk: Path, tmp_path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc=duration=11:size=320x240:rate=25", "-i", jfk)
    ffmpeg(*picture, "-c:v", "mpeg2video", *STEREO, "-shortest", tmp_path / "a.mpg")
    content = (tmp_path / "a.mpg").read_bytes()
    assert [is_cut(content), is_cut(content[: len(content) // 2 + 100])] == [False, True]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.length.__name__)
def test_any_bytes_are_read_without_an_error(kind: object) -> None:
    assert kind in KINDS
    noise = random.Random(20)
    for begin in (b"\xff\xf1", b"\xff\xfb\x90", b"\x0b\x77", b"\x7f\xfe\x80\x01", b"\x56\xe0", b"\0\0\1\xba", b"G"):
        for length in (*range(40), 3000):
            content = begin + noise.randbytes(length)
            assert KINDS[KINDS.index(kind)].length(content[:20]) >= 0
            assert not is_cut(content)


@pytest.mark.parametrize("content", [b"", b"ID3", b"ID3\4\0\0\x7f\x7f\x7f\x7f", b"RIFF", b"\xff\xfb\x90\x00" * 3])
def test_too_little_is_no_frame(content: bytes) -> None:
    assert not is_cut(content)


AAC, MP3 = KINDS[:2]
TINY = b"\xff\xf1\x50\x80\x00\xe0\xfc"
"""A whole frame of AAC, with nothing in it."""


@pytest.mark.parametrize("one", [b"\xff\xfb\x90\0", TINY * (LONG_CHAIN - 1) + b"x"], ids=["headers", "short chains"])
def test_what_was_made_to_look_like_frames_is_not_followed_for_long(one: bytes) -> None:
    """Whoever sends 100 MB of headers would have a processor for minutes."""
    content = one * (400_000 // len(one))
    read = list[bytes]()
    for kind in (AAC, MP3):
        counting = replace(kind, length=lambda header, kind=kind: read.append(header) or kind.length(header))
        assert counting.next_chain(content, 0, len(content), LONG_CHAIN) == len(content)
        assert len(read) <= TRIES_OF_ANY + len(content) // BYTES_PER_TRY + LONG_CHAIN
        read.clear()


def test_what_is_between_very_many_frames_is_told_as_one_gap() -> None:
    content = (TINY * 5 + b"x") * 2 * GAPS_LIMIT
    gaps = list(AAC.gaps(content, 0))
    assert len(gaps) == GAPS_LIMIT + 1
    assert gaps[-1][2] == len(content)
