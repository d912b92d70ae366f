"""Recordings of kinds that public reports of other servers name, each at its place and whole."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from tests.runtime.media.conftest import begins, decoded
from tests.support.media_files import ffmpeg, speech_as
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE

FORM = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def wav(*chunks: bytes, kind: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return kind + (struct.pack("<I", len(body)) if kind == b"RIFF" else b"\xff" * 4) + body


async def is_whole(path: Path, jfk: Path, begin: float = 0, length: float = 11) -> None:
    samples = await decoded(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(begin + length, abs=0.2)
    assert begins(samples, jfk, int(begin)) == pytest.approx(begin, abs=0.2)


@pytest.mark.parametrize("kind", ["rf64", "bw64", "data first", "recorder", "wrong rate of bytes"])
async def test_wavs_of_recorders_and_broadcasters(jfk: Path, tmp_path: Path, kind: str) -> None:
    ffmpeg("-i", jfk, "-f", "s16le", tmp_path / "samples")
    samples = (tmp_path / "samples").read_bytes()
    form, data, long = chunk(b"fmt ", FORM), chunk(b"data", samples), b"data\xff\xff\xff\xff" + samples
    sizes = chunk(b"ds64", struct.pack("<3QI", len(samples) + 99, len(samples), len(samples) // 2, 0))
    slow = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 16_000, 1, 2, 16))
    (tmp_path / "a.wav").write_bytes(
        {
            "rf64": wav(sizes, chunk(b"JUNK", b"x" * 27), form, long, kind=b"RF64"),
            "bw64": wav(sizes, chunk(b"chna", bytes(44)), form, long, chunk(b"axml", b"<a/>" * 3000), kind=b"BW64"),
            "data first": wav(data, form),
            "recorder": wav(chunk(b"bext", bytes(857)), chunk(b"iXML", b"<a/>"), form, data, chunk(b"id3 ", b"ID3")),
            "wrong rate of bytes": wav(slow, data),
        }[kind]
    )
    await is_whole(tmp_path / "a.wav", jfk)


@pytest.mark.parametrize("codec", ["pcm_f32be", "pcm_mulaw", "pcm_alaw", "adpcm_ima_qt", "pcm_s24be", "pcm_s16le"])
async def test_aiffs_of_any_samples(jfk: Path, tmp_path: Path, codec: str) -> None:
    await is_whole(speech_as(jfk, tmp_path / "a.aiff", "-c:a", codec), jfk)


@pytest.mark.parametrize(("codec", "form"), [("libopus", "caf"), ("alac", "caf"), ("libopus", "ts"), ("flac", "mp4")])
async def test_codecs_in_uncommon_places(jfk: Path, tmp_path: Path, codec: str, form: str) -> None:
    await is_whole(speech_as(jfk, tmp_path / f"a.{form}", "-strict", "-2", "-c:a", codec), jfk)


async def test_packed_audio_of_a_stream_for_phones(jfk: Path, tmp_path: Path) -> None:
    """HLS: ADTS, in which each segment begins with a title that has its time."""
    content = speech_as(jfk, tmp_path / "a.aac").read_bytes()
    owner = b"com.apple.streaming.transportStreamTimestamp\0" + bytes(8)
    title = b"PRIV" + struct.pack(">IH", len(owner), 0) + owner
    packed, at = b"", 0
    for number in range(10_000):
        length = (content[at + 3] & 3) << 11 | content[at + 4] << 3 | content[at + 5] >> 5 if at < len(content) else 0
        if not length:
            break
        packed += (b"ID3\4\0\0\0\0\0" + bytes([len(title)]) + title if number % 40 == 0 else b"") + content[
            at : at + length
        ]
        at += length
    (tmp_path / "a.aac").write_bytes(packed)
    await is_whole(tmp_path / "a.aac", jfk)


async def test_an_index_that_is_compressed(jfk: Path, tmp_path: Path) -> None:
    """QuickTime's `cmov`, of old cameras."""
    content = speech_as(jfk, tmp_path / "a.mov", "-c:a", "aac").read_bytes()
    at = content.rindex(b"moov") - 4
    packed = zlib.compress(content[at:])
    inner = b"\0\0\0\x0cdcomzlib" + struct.pack(">I4sI", 12 + len(packed), b"cmvd", len(content) - at) + packed
    outer = struct.pack(">I4sI4s", 16 + len(inner), b"moov", 8 + len(inner), b"cmov") + inner
    (tmp_path / "b.mov").write_bytes(content[:at] + outer)
    await is_whole(tmp_path / "b.mov", jfk)


@pytest.mark.parametrize(
    ("edits", "seconds"),
    [
        (((2, 0), (3, 6)), 5),
        (((3, 6), (2, 0)), 5),
        (((2, 0), (3, None), (2, 6)), 7),
        (((11, 0), (11, 0)), 22),
        (((3, None), (11, 0)), 14),
    ],
    ids=["cut", "in another order", "with a pause", "twice", "late"],
)
async def test_an_edit_list_is_played(
    jfk: Path, tmp_path: Path, edits: tuple[tuple[int, int | None], ...], seconds: int
) -> None:
    """As phones and editors cut a recording without touching its samples; None: nothing is played."""
    content = speech_as(jfk, tmp_path / "a.mov", "-c:a", "pcm_s16le").read_bytes()
    entries = b"".join(
        struct.pack(">IiI", 1000 * length, -1 if begin is None else SAMPLE_RATE * begin, 1 << 16)
        for length, begin in edits
    )
    listed = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, len(edits)) + entries
    at = content.rindex(b"edts") - 4
    size = int.from_bytes(content[at : at + 4], "big")
    changed = bytearray(content[:at] + struct.pack(">I4s", 8 + len(listed), b"edts") + listed + content[at + size :])
    for box in (b"moov", b"trak"):
        begin = changed.rindex(box) - 4
        length = int.from_bytes(changed[begin : begin + 4], "big") + 8 + len(listed) - size
        changed[begin : begin + 4] = length.to_bytes(4, "big")
    (tmp_path / "b.mov").write_bytes(changed)
    assert len(await decoded(tmp_path / "b.mov")) / SAMPLE_RATE == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize("begin", [100_000_000, 0x1000000 - 5000, 0x80000000 - 5000, 0x100000000 - 5000])
async def test_a_broadcast_of_flash_whose_clock_is_large_or_begins_anew(jfk: Path, tmp_path: Path, begin: int) -> None:
    content = bytearray(speech_as(jfk, tmp_path / "a.flv").read_bytes())
    at = 13
    while at + 11 < len(content):
        size = int.from_bytes(content[at + 1 : at + 4], "big")
        time = int.from_bytes(content[at + 4 : at + 7], "big") + begin & 0xFFFFFFFF
        if content[at] == 8 and content[at + 12]:
            content[at + 4 : at + 8] = (time & 0xFFFFFF).to_bytes(3, "big") + bytes([time >> 24])
        at += 15 + size
    (tmp_path / "a.flv").write_bytes(content)
    await is_whole(tmp_path / "a.flv", jfk)


@pytest.mark.parametrize(("form", "codec"), [("ts", "aac"), ("vob", "mp2")])
async def test_a_clock_of_33_bits_that_begins_anew(jfk: Path, tmp_path: Path, form: str, codec: str) -> None:
    """After 26.5 hours, five seconds into the recording."""
    options = ("-c:a", codec, "-ar", "48000", "-output_ts_offset", "95438")
    await is_whole(speech_as(jfk, tmp_path / f"a.{form}", *options), jfk)


def dav(samples: bytes) -> bytes:
    """A surveillance recorder's file (Dahua's) of A-law, in frames of 40 ms: each has the clock in seconds and ms."""
    frames = b""
    for number in range(len(samples) // 320):
        sound = samples[number * 320 : number * 320 + 320]
        size, seconds = 24 + 4 + len(sound) + 8, 0x68D6A000 + number // 25
        clock = struct.pack("<IIIHBB", number, size, seconds, number * 40 & 0xFFFF, 4, 0)
        frames += b"DHAV\xf0\0\1\0" + clock + b"\x83\1\x0e\2" + sound + b"dhav" + struct.pack("<I", size)
    return frames


async def test_the_sound_of_a_surveillance_recorder(jfk: Path, tmp_path: Path) -> None:
    ffmpeg("-i", jfk, "-ar", "8000", "-f", "alaw", tmp_path / "a.al")
    (tmp_path / "a.dav").write_bytes(dav((tmp_path / "a.al").read_bytes()))
    await is_whole(tmp_path / "a.dav", jfk)


async def test_a_packet_stream_of_another_recorders(jfk: Path, tmp_path: Path) -> None:
    """Hikvision's: 40 bytes of its own before a program stream, whose sound has no map that names its codec."""
    ffmpeg("-i", jfk, "-ar", "8000", "-f", "alaw", tmp_path / "a.al")
    samples, content = (tmp_path / "a.al").read_bytes(), b"IMKH" + bytes(36)
    for at in range(0, len(samples), 320):
        clock = at * 90 // 8 + 90_000
        time = bytes((0x21, clock >> 22 & 255, clock >> 14 & 254 | 1, clock >> 7 & 255, clock << 1 & 254 | 1))
        packet = b"\x80\x80\5" + time + samples[at : at + 320]
        pack = bytes(
            (0x44, clock >> 20 & 255, clock >> 12 & 248 | 4 | clock >> 13 & 3, clock >> 5 & 255, clock << 3 & 248 | 4)
        )
        content += b"\0\0\1\xba" + pack + b"\1\0\0\3\xf8\0\0\1\xc0" + struct.pack(">H", len(packet)) + packet
    (tmp_path / "a.mp4").write_bytes(content)
    await is_whole(tmp_path / "a.mp4", jfk)
