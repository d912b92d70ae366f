"""The parts of a program stream whose sound goes on in another track are told, and all of them are decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.runtime.media.conftest import begins, decoded
from tests.support.media_files import ffmpeg, speech_as
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.program_stream import later_parts

PACK = b"\0\0\1\xba\x44" + bytes(8) + b"\xf8"


def packet(kind: int, body: bytes) -> bytes:
    """A packet of a stream, as MPEG-2 has it, in a pack of its own."""
    content = b"\x80\x80\5" + bytes(5) + body
    return PACK + b"\0\0\1" + bytes([kind]) + len(content).to_bytes(2, "big") + content


A, B, PICTURE = packet(0xC0, b"mpeg"), packet(0xBD, b"\x80\1\0\1ac3"), packet(0xE0, b"picture")
OLD = PACK + b"\0\0\1\xbd\0\x0b\xff\xff\x40\x20\x21\0\1\0\1\x80\1"
"""AC-3 behind MPEG-1's header."""
SUBTITLE = packet(0xBD, b"\x20text")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (A * 99, ()),
        (A * 99 + B * 99, (99 * len(A),)),
        (PICTURE + A * 9 + PICTURE * 99 + OLD * 9, (len(PICTURE) * 100 + len(A) * 9,)),
        (A * 99 + B * 99 + A * 99, (99 * len(A), 99 * len(A + B))),
        ((A + B) * 99, ()),
        (A * 99 + (A + B) * 99, ()),
        ((A + B) * 99 + A * 99 + (A + B) * 99, ()),
        ((A + B) * 99 + B * 99 + (A + B) * 99, ()),
        (A * 20 + B * 20 + A * 20 + B * 20, ()),
        (A * 99 + SUBTITLE * 99, ()),
        (A * 99 + b"no packet" * 9 + B * 99, (99 * len(A) + 81,)),
    ],
    ids=[
        "one track",
        "another one follows",
        "as MPEG-1 has it, behind pictures",
        "and the first one again",
        "two side by side",
        "a commentary that begins late",
        "and has a pause",
        "the film has one",
        "tracks that take turns",
        "subtitles",
        "behind something else",
    ],
)
def test_a_part_begins_where_all_tracks_have_ended(content: bytes, parts: tuple[int, ...]) -> None:
    assert later_parts(content) == parts


@pytest.mark.parametrize("content", [b"", PACK[:8], b"RIFF" + A + B, A[:-3], PACK + b"\0\0\1\xbd\0\0", A + b"\0" * 999])
def test_what_is_cut_or_no_program_stream_has_one_part(content: bytes) -> None:
    assert later_parts(content) == ()


@pytest.mark.parametrize(("codecs", "offset", "begin"), [(("mp2", "ac3"), 15.5, 15), (("pcm_dvd", "mp2"), 0, 11)])
@pytest.mark.parametrize("form", ["vob", "mpg"])
async def test_all_of_a_disc_is_decoded_whose_titles_have_different_sound(
    jfk: Path, tmp_path: Path, form: str, codecs: tuple[str, str], offset: float, begin: int
) -> None:
    """Also behind a gap of the clock, which ffmpeg lets begin at half a second, and where it begins anew."""
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=25:duration=11", "-i", jfk, "-map", "0", "-map", "1")
    for number, codec in enumerate(codecs):
        options = ("-c:v", "mpeg2video", "-c:a", codec, "-ar", "48000", "-ac", "2", "-output_ts_offset")
        ffmpeg(*picture, *options, str(offset * number), tmp_path / f"{number}.{form}")
    path = tmp_path / f"joined.{form}"
    path.write_bytes(b"".join((tmp_path / f"{number}.{form}").read_bytes() for number in range(2)))
    samples = await decoded(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(begin + 11, abs=0.2)
    assert [begins(samples, jfk, at) for at in (0, begin)] == pytest.approx([0, begin], abs=0.15)
    assert np.abs(samples[int(11.3 * SAMPLE_RATE) : int((begin - 0.3) * SAMPLE_RATE)]).max(initial=0) < 0.01


async def test_a_disc_with_two_languages_stays_one_film(jfk: Path, tmp_path: Path) -> None:
    path = speech_as(jfk, tmp_path / "a.vob", "-map", "0:a", "-map", "0:a", "-c:a", "ac3", "-ar", "48000")
    path.write_bytes(path.read_bytes() * 2)
    assert len(await decoded(path)) / SAMPLE_RATE == pytest.approx(22, abs=0.2)
