"""A recording's beginning is told by few bytes where one may begin, and elsewhere by so many that it is no chance."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support.media_files import FORMATS, speech_as
from whisper_runtime.media.beginnings import FORMS, begins_at, begins_within

WITHOUT = {"gsm"}
NOISE = random.Random(20).randbytes(20_000)


@pytest.mark.parametrize("form", sorted({*FORMATS} - WITHOUT | {"au", "aac", "ts", "mpg"}))
def test_it_is_told_at_its_place_behind_a_title_and_within_other_bytes(jfk: Path, tmp_path: Path, form: str) -> None:
    content = speech_as(
        jfk, tmp_path / f"a.{form}", "-t", "3", *(("-ar", "48000") if form == "mpg" else ())
    ).read_bytes()
    title = b"ID3\4\0\0\0\0\2\0" + bytes(256)
    for before in (b"", title):
        assert begins_at(before + content, 0, len(before + content))
        assert not begins_at(before + content, 0, len(before))
    within = NOISE + content
    assert begins_within(within, 0, len(within), 0)
    assert not begins_within(within, 0, len(NOISE), 0)


@pytest.mark.parametrize(
    "begin", [b"\0\0\0\x14ftypqt", b"\0\0\0\x6cmoov\0\0\0\x6cmvhd", b"MP+\7", b"\3dss", b"\x1f\7\0\xbf"]
)
def test_few_bytes_are_enough_where_one_may_begin_alone(begin: bytes) -> None:
    content = begin + NOISE
    assert begins_at(content, 0, len(content))
    assert not begins_within(NOISE + content, 0, len(NOISE + content), 0)


@pytest.mark.parametrize(
    "content", [b"", b"ID3", NOISE, bytes(5000), b"<html>502 Bad Gateway</html>", b"TAG" + bytes(125)]
)
def test_other_bytes_are_none(content: bytes) -> None:
    assert not begins_at(content, 0, len(content))
    assert not begins_within(content, 0, len(content), 0)


def test_one_of_the_first_ones_form_is_none(jfk: Path, tmp_path: Path) -> None:
    for form in ("opus", "mp3", "flac"):
        content = speech_as(jfk, tmp_path / f"a.{form}", "-id3v2_version", "0").read_bytes()
        assert not begins_within(content * 2, 1, 2 * len(content), 0)


def test_the_header_of_what_a_recording_was_made_of_is_none(jfk: Path) -> None:
    """Monkey's Audio keeps the WAV's, and FLAC does on demand: the samples are its own."""
    header, samples = jfk.read_bytes()[:78], NOISE
    ape = b"MAC \x96\x0f\0\0\x34\0\0\0" + bytes(64) + header + samples
    flac = (
        b"fLaC\0\0\0\x22" + bytes(34) + b"\2\0\0\x10riff" + header[:12] + b"\x82\0\0\x1criff" + header[12:36] + samples
    )
    assert [begins_within(one, 1, len(one), 0) for one in (ape, flac)] == [False, False]
    behind = ape + jfk.read_bytes()
    assert begins_within(behind, 1, len(behind), 0)


def test_a_beginning_at_the_border_of_a_piece_is_found() -> None:
    """Its literal is searched for piece by piece, and may begin in one and end in the next."""
    wav = b"RIFF\0\0\0\0WAVEfmt "
    one = next(one for one in FORMS if one.begins(wav, 0))
    for before in range(4 * 1024**2 - 14, 4 * 1024**2 + 2, 3):
        assert one.first(bytes(before) + wav, 0, before + 16) == before
