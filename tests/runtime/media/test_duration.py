"""A whole file is never refused for the length that it declares; one that was cut is, where that shows."""

from __future__ import annotations

import re
import struct
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.support.media_files import ffmpeg, speech_as
from whisper_runtime.media import decode
from whisper_runtime.media.duration import (
    declared_seconds,
    ends_early,
    first_time,
    is_cut,
    late_start,
    meant_seconds,
    promised_seconds,
)
from whisper_runtime.media.ending import Ending
from whisper_runtime.media.ffmpeg_process import BYTES_PER_SECOND
from whisper_runtime.media.refusals import AudioError

LENGTH = b"  Duration: 10:00:01.50, bitrate: 8 kb/s\n"
FLAC = b"Input #0, flac, from 'a':\n  Metadata:\n    title: x\n" + LENGTH
WEBM = b"Input #0, matroska,webm, from 'a':\n" + LENGTH


@pytest.fixture
def jfk(recordings: Path) -> Path:
    """Eleven seconds."""
    return recordings / "jfk.wav"


async def seconds(path: Path) -> float:
    with path.open("rb") as media:
        found = await decode.decode(media, max_seconds=3600, timeout=60, on_bytes=lambda _: None)
    return found.samples.nbytes / BYTES_PER_SECOND


async def told_early(path: Path) -> bool:
    with path.open("rb") as media:
        found = await decode.decode(media, max_seconds=3600, timeout=60, on_bytes=lambda _: None)
    assert found.track is not None
    return found.track.ends_early


def half(path: Path) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def piped(source: Path, target: Path, *options: str) -> Path:
    """A file as programs write it into a pipe, in which they cannot go back to the header."""
    with target.open("wb") as pipe:
        subprocess.run(("ffmpeg", "-loglevel", "error", "-i", source, *options, "-"), stdout=pipe, check=True)
    return target


@pytest.mark.parametrize(
    ("report", "declared", "promised"),
    [
        (FLAC, 36001, 36001),
        (b"[mp3 @ 0x5] Estimating duration from bitrate, this may be inaccurate\n" + FLAC, 0, 0),
        (b"    comment         : \n    Duration: 99:00:00.00\n", 0, 0),
        (b"Input #0, mpegts, from 'a':\n" + LENGTH, 0, 0),
        # A film may go on after its sound, a call may have pauses: no promise until ffmpeg misses something.
        (WEBM, 36001, 0),
        (WEBM + b"[matroska,webm @ 0x5] File ended prematurely\n", 36001, 36001),
        (WEBM + b"    title           : File ended prematurely\n", 36001, 0),
    ],
)
def test_what_ffmpegs_report_says(report: bytes, declared: float, promised: float) -> None:
    assert (declared_seconds(report), promised_seconds(None, Ending(), report)) == (declared, promised)


FROM_ONE_HOUR: Final = b"  Duration: 01:00:11.02, start: 3600.000000, bitrate: 8 kb/s\n"


@pytest.mark.parametrize(
    ("form", "seconds"), [(b"ogg", 11), (b"matroska,webm", 11), (b"mpegps", 3611), (b"mov,mp4,m4a,3gp,3g2,mj2", 3611)]
)
def test_a_clock_that_began_before_the_recording_is_no_length(form: bytes, seconds: float) -> None:
    """As of a radio station that somebody came to after an hour: of these ffmpeg has the clock at the end."""
    assert declared_seconds(b"Input #0, %b, from 'a':\n" % form + FROM_ONE_HOUR) == seconds


def test_a_length_that_the_bytes_of_a_file_cannot_hold_is_not_meant() -> None:
    assert [meant_seconds(FLAC, size) for size in (88_000, 3_000_000)] == [0, 36001]


@pytest.mark.parametrize(
    ("form", "length", "start", "seconds"),
    [
        (b"mov,mp4,m4a,3gp,3g2,mj2", b"00:00:16.00", b"4.936000", 4.936),
        (b"matroska,webm", b"00:00:16.00", b"5.000000", 5),
        (b"matroska,webm", b"N/A", b"5.000000", 0),
        (b"matroska,webm", b"00:00:11.00", b"0.021000", 0),
        (b"matroska,webm", b"00:00:11.00", b"-0.007000", 0),
        (b"matroska,webm", b"00:20:11.00", b"1200.000000", 0),
        (b"mpegts", b"00:00:11.00", b"1.400000", 0),
        (b"ogg", b"00:00:16.00", b"5.000000", 0),
    ],
)
def test_a_clock_that_begins_late_is_told_of_forms_that_have_a_zero(
    form: bytes, length: bytes, start: bytes, seconds: float
) -> None:
    report = b"Input #0, %b, from 'a':\n  Duration: %b, start: %b, bitrate: 8 kb/s\n" % (form, length, start)
    assert late_start(report) == seconds


def test_where_the_end_is_missing_the_length_of_a_film_counts() -> None:
    whole, cut, abrupt = Ending(100, 100), Ending(50, 100), Ending(50, is_abrupt=True)
    assert [promised_seconds(None, one, WEBM) for one in (whole, cut, abrupt)] == [0, 36001, 36001]
    assert [ends_early(one, WEBM) for one in (whole, cut, abrupt)] == [False, True, True]
    assert ends_early(whole, WEBM + b"[matroska,webm @ 0x5] File ended prematurely\n")


def test_a_second_or_a_fiftieth_may_be_missing() -> None:
    assert [is_cut(11, 10), is_cut(11, 9.9), is_cut(3600, 3530), is_cut(3600, 3500)] == [False, True, False, True]
    assert not is_cut(0, 10)


@pytest.mark.parametrize("form", ["wav", "mp3", "flac", "webm", "mkv", "aiff", "wv", "flv", "rm"])
async def test_a_file_that_was_cut_says_how_much_is_missing(jfk: Path, tmp_path: Path, form: str) -> None:
    path = half(speech_as(jfk, tmp_path / f"a.{form}"))
    with pytest.raises(AudioError, match=r"promises 11 s of audio, and [456] s are there\. Send the whole") as error:
        await seconds(path)
    assert error.value.reason == "Damaged"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.wav", ("-f", "wav")),
        ("a.flac", ("-f", "flac")),
        ("a.mp3", ("-f", "mp3")),
        ("a.mp3", ("-f", "mp3", "-q:a", "2")),
        ("a.webm", ("-c:a", "libopus", "-f", "webm")),
        ("a.au", ("-f", "au")),
        ("a.wv", ("-f", "wv")),
    ],
)
async def test_what_was_written_into_a_pipe_is_taken_whole_or_cut(
    jfk: Path, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    """Such a file holds no length, so a whole one cannot be told from another."""
    path = piped(jfk, tmp_path / name, *options)
    assert await seconds(path) == pytest.approx(11, abs=0.1)
    assert await seconds(half(path)) == pytest.approx(5, abs=1.1)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.caf", ()),
        ("a.caf", ("-c:a", "adpcm_ima_qt")),
        ("a.w64", ()),
        ("a.wma", ()),
        ("a.avi", ("-c:a", "pcm_s16le")),
        ("a.avi", ()),
    ],
)
async def test_a_file_whose_length_ffmpeg_takes_from_what_is_there_says_how_many_bytes_are_missing(
    jfk: Path, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    path = speech_as(jfk, tmp_path / name, *options)
    assert not await told_early(path)
    with pytest.raises(
        AudioError, match=r"promises \d+ bytes, and \d+ are there, with [56] s of audio\. Send"
    ) as error:
        await seconds(half(path))
    assert error.value.reason == "Damaged"


@pytest.mark.parametrize("codec", ["adpcm_ima_wav", "adpcm_ms", "libmp3lame", "libgsm_ms", "pcm_mulaw"])
async def test_a_wav_of_compressed_samples_is_no_exception(jfk: Path, tmp_path: Path, codec: str) -> None:
    rate = ("-ar", "8000") if codec == "libgsm_ms" else ()
    path = speech_as(jfk, tmp_path / "a.wav", "-c:a", codec, *rate)
    assert not await told_early(path)
    with pytest.raises(AudioError, match=r"promises 11 s of audio, and [56] s are there"):
        await seconds(half(path))


async def test_a_film_of_broadcasters_is_no_exception(jfk: Path, tmp_path: Path) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc=duration=11:size=720x576:rate=25", "-i", jfk, "-ar", "48000")
    ffmpeg(*picture, "-c:v", "mpeg2video", tmp_path / "a.mxf")
    assert not await told_early(tmp_path / "a.mxf")
    with pytest.raises(AudioError, match=r"promises 11 s of audio, and [56] s are there"):
        await seconds(half(tmp_path / "a.mxf"))


async def test_a_table_of_packets_that_is_missing_is_named(jfk: Path, tmp_path: Path) -> None:
    """A CAF of compressed sound has it behind the sound."""
    path = half(speech_as(jfk, tmp_path / "a.caf", "-c:a", "alac"))
    with pytest.raises(AudioError, match=r"its header promises \d+ bytes, and \d+ are there; send the whole file"):
        await seconds(path)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.ogg", ()),
        ("a.opus", ()),
        ("a.webm", ("-live", "1")),
        ("a.mp4", ("-c:a", "aac", "-movflags", "frag_keyframe+empty_moov", "-frag_duration", "1000000")),
        ("a.nut", ()),
        ("a.voc", ()),
    ],
)
async def test_what_has_no_length_is_taken_as_far_as_it_goes_and_the_end_is_told(
    jfk: Path, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    """Radio and browsers write it while they record; whoever switched off has all that there is."""
    path = speech_as(jfk, tmp_path / name, *options)
    assert not await told_early(path)
    assert await seconds(half(path)) == pytest.approx(5, abs=1.1)
    assert await told_early(path)


async def test_an_ogg_ends_where_it_is_cut(jfk: Path, tmp_path: Path) -> None:
    """Its length is that of its last page."""
    assert await seconds(half(speech_as(jfk, tmp_path / "a.ogg"))) == pytest.approx(5, abs=0.6)


@pytest.mark.parametrize("form", ["mp4", "mkv"])
async def test_a_film_may_go_on_after_its_sound(jfk: Path, tmp_path: Path, form: str) -> None:
    ffmpeg("-f", "lavfi", "-i", "testsrc=duration=30:size=64x64:rate=5", "-i", jfk, tmp_path / f"film.{form}")
    assert await seconds(tmp_path / f"film.{form}") == pytest.approx(11, abs=0.1)


@pytest.mark.parametrize(
    ("log", "begin"),
    [
        (b"  Duration: 00:00:10.92, start: 1.400000, bitrate: 329 kb/s\n", 1.4),
        (b"  Duration: N/A, start: -0.005000, bitrate: N/A\n", -0.005),
        (b"    title: x\n      Duration: 1, start: 9.0\n", 0.0),
        (LENGTH, 0.0),
    ],
)
def test_the_clocks_beginning_is_what_the_log_has_for_it(log: bytes, begin: float) -> None:
    assert first_time(log) == begin


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.opus", ("-c:a", "libopus")),
        ("a.webm", ("-c:a", "libopus")),
        ("a.mkv", ("-c:a", "libvorbis")),
    ],
)
async def test_a_recording_from_the_midst_of_a_stream_has_its_own_length(
    jfk: Path, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    """Given a clock that shows 27 hours at its beginning, and a limit of one."""
    path = speech_as(jfk, tmp_path / f"whole-{name}", *options, "-output_ts_offset", "100000")
    if name == "a.opus":
        path.write_bytes(later_pages(speech_as(jfk, path, *options).read_bytes(), 100_000 * 48_000))
    assert await seconds(path) == pytest.approx(11, abs=0.1)


def later_pages(content: bytes, samples: int) -> bytes:
    """An Ogg whose times are later, as a radio station's are (RFC 3533, 6: a page's position, and its check)."""
    found = re.split(rb"(?=OggS\0)", content)[1:]
    return b"".join(found[:2]) + b"".join(_checked(_later(page, samples)) for page in found[2:])


def _later(page: bytes, samples: int) -> bytes:
    (position,) = struct.unpack_from("<q", page, 6)
    return page[:6] + struct.pack("<q", position + samples) + page[14:]


def _checked(page: bytes) -> bytes:
    check = 0
    for byte in page[:22] + bytes(4) + page[26:]:
        check ^= byte << 24
        for _ in range(8):
            check = (check << 1 ^ (0x04C11DB7 if check & 1 << 31 else 0)) & 0xFFFFFFFF
    return page[:22] + struct.pack("<I", check) + page[26:]


@pytest.mark.parametrize("frames", [0, 50, 5_000_000])
async def test_a_number_of_frames_that_nobody_can_have_meant(jfk: Path, tmp_path: Path, frames: int) -> None:
    """Of an MP3 (Xing's header): none, too few, and 50 hours."""
    content = bytearray(speech_as(jfk, tmp_path / "a.mp3").read_bytes())
    struct.pack_into(">I", content, content.index(b"Info") + 8, frames)
    (tmp_path / "a.mp3").write_bytes(content)
    assert await seconds(tmp_path / "a.mp3") == pytest.approx(11, abs=0.1)


async def test_an_aiff_that_was_written_into_a_pipe(jfk: Path, tmp_path: Path) -> None:
    """By sox, which promises 37 hours."""
    with (tmp_path / "a.aiff").open("wb") as pipe:
        subprocess.run(("sox", "-V1", jfk, "-t", "aiff", "-"), stdout=pipe, stderr=subprocess.DEVNULL, check=True)
    content = bytearray((tmp_path / "a.aiff").read_bytes())
    struct.pack_into(">I", content, content.index(b"COMM") + 10, 0x7F000000)
    (tmp_path / "a.aiff").write_bytes(content)
    assert await seconds(tmp_path / "a.aiff") == pytest.approx(11, abs=0.1)
