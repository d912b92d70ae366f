"""The parts of a transport stream whose sound goes on in another track are told, and all of them are decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.runtime.media.conftest import begins, decoded
from tests.support.media_files import ffmpeg, speech_as
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.transport import PACKET, later_parts

AAC, AC3 = 0x0F, 0x81


def packet(begin: bytes) -> bytes:
    return begin.ljust(PACKET, b"\xff")


def program_map(*tracks: tuple[int, int], program: int = 1) -> bytes:
    """The packets that say where a program's map is, and what is in it."""
    streams = b"".join(bytes([kind, 0xE0 | pid >> 8, pid & 0xFF, 0xF0, 0]) for pid, kind in tracks)
    size = (9 + len(streams) + 4).to_bytes(1, "big")
    section = b"\x02\xb0" + size + program.to_bytes(2, "big") + b"\xc1\0\0\xe1\0\xf0\0" + streams + bytes(4)
    return packet(b"G\x40\0\x10\0") + packet(b"G\x50" + bytes([program]) + b"\x10\0" + section)


SOUND = packet(b"G\x01\0\x10")
A, B, C = (256, AAC), (257, AAC), (258, AC3)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (program_map(A) + SOUND + program_map(A) + SOUND, ()),
        (program_map(A) + SOUND + program_map(B) + SOUND, (3,)),
        (program_map(A) + SOUND + program_map(B) + SOUND + program_map(A) + SOUND, (3, 6)),
        (program_map(A) + SOUND + program_map((256, AC3)) + SOUND, (3,)),
        (program_map(A) + SOUND + program_map(A, C) + SOUND, ()),
        (program_map(A, C) + SOUND + program_map(A) + SOUND, (3,)),
        (program_map(A) + SOUND + program_map() + SOUND + program_map(A) + SOUND, ()),
        (program_map(A) + program_map(B, program=2) + SOUND + program_map(A) + program_map(B, program=2), ()),
        (program_map(A) + SOUND + program_map(B, program=2) + SOUND + program_map(B, program=2), (3,)),
        (program_map((256, 0x1B)) + SOUND + program_map((257, 0x1B)) + SOUND, ()),
    ],
    ids=[
        "one track",
        "another one follows",
        "and the first one again",
        "another codec",
        "a track more",
        "a track less",
        "a pause",
        "two programs side by side",
        "one behind the other",
        "pictures alone",
    ],
)
def test_a_part_begins_where_a_track_is_gone_and_another_is_there(content: bytes, parts: tuple[int, ...]) -> None:
    assert later_parts(content) == tuple(at * PACKET for at in parts)


@pytest.mark.parametrize("before", [b"\0\x11\x22" * 300, SOUND[100:]], ids=["something else", "a part of a packet"])
def test_parts_are_told_behind(before: bytes) -> None:
    content = before + program_map(A) + SOUND + program_map(B) + SOUND
    assert later_parts(content) == (len(before) + 3 * PACKET,)


def test_so_they_are_of_packets_with_a_correction() -> None:
    content = program_map(A) + SOUND + program_map(B) + SOUND
    packets = (content[at : at + PACKET] + bytes(16) for at in range(0, len(content), PACKET))
    assert later_parts(b"".join(packets)) == (3 * (PACKET + 16),)


@pytest.mark.parametrize("content", [b"", b"G", b"RIFF" + bytes(400), program_map(A)[: PACKET + 20]])
def test_what_is_cut_or_no_transport_stream_has_one_part(content: bytes) -> None:
    assert later_parts(content) == ()


def long_map(first: int, tracks: int = 40) -> bytes:
    """A map of so many tracks, whose PIDs begin with `first`: it takes two packets, with one of sound between them."""
    streams = b"".join(bytes([AAC, 0xE0 | pid >> 8, pid & 0xFF, 0xF0, 0]) for pid in range(first, first + tracks))
    size = (9 + len(streams) + 4).to_bytes(1, "big")
    section = b"\x02\xb0" + size + b"\0\1\xc1\0\0\xe1\0\xf0\0" + streams + bytes(4)
    begin, end = section[: PACKET - 5], section[PACKET - 5 :]
    padded = b"G\x10\1\x31" + bytes([PACKET - 5 - len(end)]) + b"\0".ljust(PACKET - 5 - len(end), b"\xff") + end
    return packet(b"G\x40\0\x10\0") + packet(b"G\x50\1\x10\0" + begin) + SOUND + padded


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (long_map(256) + SOUND + long_map(256) + SOUND, ()),
        (long_map(256) + SOUND + long_map(300) + SOUND, (5,)),
        (long_map(256) + SOUND + long_map(300)[: 3 * PACKET] + SOUND, ()),
        (long_map(256) + SOUND + long_map(300)[: 3 * PACKET] + SOUND + long_map(300), (9,)),
    ],
    ids=["the same", "another one", "of which the end is lost", "and which comes again"],
)
def test_a_map_may_be_longer_than_a_packet(content: bytes, parts: tuple[int, ...]) -> None:
    assert later_parts(content) == tuple(at * PACKET for at in parts)


STEREO = ("-ar", "48000", "-ac", "2")


@pytest.mark.parametrize(
    ("codecs", "offset", "begin"),
    [
        (("aac", "aac"), 11, 11),
        (("aac", "ac3"), 11, 11),
        (("mp2", "aac"), 20, 20),
        (("ac3", "ac3"), 0, 11),
    ],
)
@pytest.mark.parametrize("packets", [(), ("-mpegts_m2ts_mode", "1")], ids=["188", "192"])
async def test_all_of_a_broadcast_is_decoded_whose_sound_changes_its_pid(
    jfk: Path, tmp_path: Path, codecs: tuple[str, str], offset: int, begin: int, packets: tuple[str, ...]
) -> None:
    """Also behind a gap of the clock, and where it jumps back."""
    first = speech_as(jfk, tmp_path / "1.ts", *packets, "-c:a", codecs[0], *STEREO)
    other = ("-streamid", "0:300", "-output_ts_offset", str(offset))
    second = speech_as(jfk, tmp_path / "2.ts", *packets, "-c:a", codecs[1], *STEREO, *other)
    (tmp_path / "joined.ts").write_bytes(first.read_bytes() + second.read_bytes())
    samples = await decoded(tmp_path / "joined.ts")
    assert len(samples) / SAMPLE_RATE == pytest.approx(begin + 11, abs=0.15)
    assert [begins(samples, jfk, at) for at in (0, begin)] == pytest.approx([0, begin], abs=0.1)
    assert np.abs(samples[int(11.2 * SAMPLE_RATE) : int((begin - 0.2) * SAMPLE_RATE)]).max(initial=0) < 0.01


async def test_a_film_and_sound_alone_behind_it(jfk: Path, tmp_path: Path) -> None:
    """The track's PID is the picture's before."""
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=11")
    ffmpeg(*picture, "-i", jfk, "-map", "0", "-map", "1", "-c:v", "mpeg2video", "-c:a", "aac", tmp_path / "1.ts")
    second = speech_as(jfk, tmp_path / "2.ts", "-c:a", "aac", "-output_ts_offset", "11")
    (tmp_path / "joined.ts").write_bytes((tmp_path / "1.ts").read_bytes() + second.read_bytes())
    samples = await decoded(tmp_path / "joined.ts")
    assert len(samples) / SAMPLE_RATE == pytest.approx(22, abs=0.2)
    assert begins(samples, jfk, 11) == pytest.approx(11, abs=0.2)


async def test_a_broadcast_of_many_languages_that_changes_its_pids(jfk: Path, tmp_path: Path) -> None:
    tracks = [argument for track in range(24) for argument in ("-map", "0:a", f"-metadata:s:a:{track}", "language=eng")]
    for number, pid in enumerate(("0x100", "0x200")):
        speech_as(jfk, tmp_path / f"{number}.ts", *tracks, "-c:a", "mp2", "-mpegts_start_pid", pid)
    (tmp_path / "joined.ts").write_bytes((tmp_path / "0.ts").read_bytes() + (tmp_path / "1.ts").read_bytes())
    samples = await decoded(tmp_path / "joined.ts")
    assert len(samples) / SAMPLE_RATE == pytest.approx(22, abs=0.15)
    assert begins(samples, jfk, 11) == pytest.approx(11, abs=0.1)
