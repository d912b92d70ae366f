"""Samples lie where a player plays them: late starts and gaps are silence, and jumps of a clock lose nothing."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from tests.runtime.media.conftest import begins, decoded
from tests.support.media_files import ffmpeg, speech_as
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE


@pytest.mark.parametrize("form", ["mkv", "mp4"])
async def test_sound_that_begins_after_the_picture_keeps_its_place(jfk: Path, tmp_path: Path, form: str) -> None:
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=20")
    ffmpeg(*picture, "-itsoffset", "5", "-i", jfk, "-map", "0:v", "-map", "1:a", "-c:a", "aac", tmp_path / f"a.{form}")
    samples = await decoded(tmp_path / f"a.{form}")
    assert len(samples) / SAMPLE_RATE == pytest.approx(16, abs=0.1)
    assert np.abs(samples[: int(4.8 * SAMPLE_RATE)]).max() == 0


@pytest.mark.parametrize("form", ["webm", "mkv", "ts", "mp4"])
async def test_a_gap_in_the_sound_keeps_its_place(jfk: Path, tmp_path: Path, form: str) -> None:
    """As where a recording was paused, or packets were lost: eight seconds after the fifth."""
    path = speech_as(jfk, tmp_path / f"a.{form}", "-af", "asetpts='PTS+gte(T,5)*8/TB'")
    samples = await decoded(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(19, abs=0.15)
    assert np.abs(samples[6 * SAMPLE_RATE : 12 * SAMPLE_RATE]).max() < 0.01


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mkv", "pcm_s16le"), ("a.webm", "libopus"), ("a.mp4", "aac"), ("a.ts", "aac")]
)
async def test_where_the_clock_jumps_back_nothing_is_lost(jfk: Path, tmp_path: Path, name: str, codec: str) -> None:
    """A muxer writes times that creep on instead; they are followed by 3 % at most (ADR 113), which is 0.14 s here."""
    path = speech_as(jfk, tmp_path / name, "-af", "asetpts='PTS-gte(T,5)*2/TB'", "-c:a", codec)
    assert len(await decoded(path)) / SAMPLE_RATE == pytest.approx(11, abs=0.2)


@pytest.mark.parametrize("offsets", [(36_000, 0), (0, 36_000)])
@pytest.mark.parametrize(("form", "codec"), [("ts", "aac"), ("mpg", "mp2")])
async def test_a_jump_of_a_streams_clock_is_no_length(
    jfk: Path, tmp_path: Path, form: str, codec: str, offsets: tuple[int, int]
) -> None:
    """Two recordings that were joined, ten hours apart by their clocks."""
    parts = [
        speech_as(jfk, tmp_path / f"{number}.{form}", "-c:a", codec, "-output_ts_offset", str(offset)).read_bytes()
        for number, offset in enumerate(offsets)
    ]
    (tmp_path / f"joined.{form}").write_bytes(b"".join(parts))
    assert len(await decoded(tmp_path / f"joined.{form}")) / SAMPLE_RATE == pytest.approx(22, abs=0.3)


@pytest.mark.parametrize(("form", "codec"), [("ts", "aac"), ("ts", "mp2"), ("ts", "ac3"), ("mpg", "mp2")])
@pytest.mark.parametrize("late", [2, 9, 12])
async def test_a_broadcast_whose_sound_begins_late(jfk: Path, tmp_path: Path, form: str, codec: str, late: int) -> None:
    """ffmpeg lets a stream begin with the track that it decodes, and looks for tracks in the first five seconds."""
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=25")
    both = ("-itsoffset", str(late), "-i", jfk, "-map", "0:v", "-map", "1:a", "-c:v", "mpeg2video", "-c:a", codec)
    ffmpeg(*picture, *both, "-ar", "48000", tmp_path / f"a.{form}")
    samples = await decoded(tmp_path / f"a.{form}")
    assert len(samples) / SAMPLE_RATE == pytest.approx(11 + late, abs=0.1)
    assert np.abs(samples[: int((late - 0.2) * SAMPLE_RATE)]).max() == 0


STEREO, SURROUND = ("-ac", "2"), ("-af", "pan=5.1|c2=c0")


@pytest.mark.parametrize(
    ("form", "codec", "offset", "begin"),
    [("ts", "ac3", 11, 11), ("ts", "ac3", 15, 15), ("ts", "aac", 11, 11), ("mpg", "ac3", 11, 11)],
)
async def test_a_broadcast_that_changes_its_channels(
    jfk: Path, tmp_path: Path, form: str, codec: str, offset: int, begin: int
) -> None:
    """A film in surround after a report in stereo: its sound lies where the clock says, also behind a gap."""
    first = speech_as(jfk, tmp_path / f"1.{form}", *STEREO, "-c:a", codec, "-ar", "48000")
    other = ("-c:a", codec, "-ar", "48000", "-output_ts_offset", str(offset))
    second = speech_as(jfk, tmp_path / f"2.{form}", *SURROUND, *other)
    (tmp_path / f"joined.{form}").write_bytes(first.read_bytes() + second.read_bytes())
    samples = await decoded(tmp_path / f"joined.{form}")
    assert len(samples) / SAMPLE_RATE == pytest.approx(begin + 11, abs=0.15)
    assert np.abs(samples[int(11.2 * SAMPLE_RATE) : int((begin - 0.2) * SAMPLE_RATE)]).max(initial=0) < 0.01


@pytest.mark.parametrize(
    ("form", "rates"),
    [
        ("mp3", (44100, 48000)),
        ("mp3", (48000, 16000)),
        ("aac", (44100, 16000)),
        ("ac3", (48000, 44100)),
    ],
)
async def test_recordings_of_two_rates_that_were_joined(
    jfk: Path, tmp_path: Path, form: str, rates: tuple[int, int]
) -> None:
    """Frames without a clock: ffmpeg counts their times by the first one's rate."""
    parts = [
        speech_as(jfk, tmp_path / f"{rate}.{form}", "-ar", str(rate), "-ac", str(channels)).read_bytes()
        for rate, channels in zip(rates, (1, 2), strict=True)
    ]
    (tmp_path / f"joined.{form}").write_bytes(b"".join(parts))
    samples = await decoded(tmp_path / f"joined.{form}")
    assert len(samples) / SAMPLE_RATE == pytest.approx(22, abs=0.15)


@pytest.mark.parametrize("codec", ["libvorbis", "dca", "eac3", "g722", "g726", "libspeex", "pcm_s16le"])
async def test_an_avis_sound_has_as_many_seconds_as_samples(jfk: Path, tmp_path: Path, codec: str) -> None:
    """Whatever its header says that a byte of it lasts."""
    rate = {"dca": "48000", "eac3": "48000", "g726": "8000"}.get(codec, "16000")
    path = speech_as(jfk, tmp_path / "a.avi", "-strict", "-2", "-c:a", codec, "-ar", rate)
    samples = await decoded(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(11, abs=0.15)
    assert begins(samples, jfk, 0) == pytest.approx(0, abs=0.1)


async def test_an_avi_whose_sound_begins_late(jfk: Path, tmp_path: Path) -> None:
    """By its header (AVISTREAMHEADER's dwStart), in the units of its scale and rate."""
    content = bytearray(speech_as(jfk, tmp_path / "a.avi", "-c:a", "pcm_s16le").read_bytes())
    header = content.index(b"auds")
    scale, rate = struct.unpack_from("<II", content, header + 20)
    struct.pack_into("<I", content, header + 28, 5 * rate // scale)
    (tmp_path / "late.avi").write_bytes(content)
    samples = await decoded(tmp_path / "late.avi")
    assert len(samples) / SAMPLE_RATE == pytest.approx(16, abs=0.1)
    assert not samples[: 5 * SAMPLE_RATE].any()


@pytest.mark.parametrize("form", ["wma", "wtv"])
@pytest.mark.parametrize("late", [0, 5])
async def test_flac_in_microsofts_containers_keeps_its_place(jfk: Path, tmp_path: Path, form: str, late: int) -> None:
    """Of its frames ffmpeg has times there that are late by nine of them."""
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=20", "-itsoffset", str(late), "-i", jfk)
    ffmpeg(*picture, "-map", "0", "-map", "1", "-c:v", "mpeg2video", "-c:a", "flac", tmp_path / f"a.{form}")
    assert begins(await decoded(tmp_path / f"a.{form}"), jfk, late) == pytest.approx(late, abs=0.25)


@pytest.mark.parametrize("form", ["m4a", "mka", "webm", "wma"])
async def test_sound_alone_that_begins_late_begins_where_players_have_it(jfk: Path, tmp_path: Path, form: str) -> None:
    """By an edit list, or the first time: the file's own length counts the time before."""
    ffmpeg("-itsoffset", "5", "-i", jfk, tmp_path / f"a.{form}")
    samples = await decoded(tmp_path / f"a.{form}")
    assert len(samples) / SAMPLE_RATE == pytest.approx(16, abs=0.1)
    assert begins(samples, jfk, 5) == pytest.approx(5, abs=0.1)


async def test_a_browser_that_joined_a_call_late_recorded_no_silence_before(jfk: Path, tmp_path: Path) -> None:
    path = speech_as(jfk, tmp_path / "a.webm", "-live", "1", "-output_ts_offset", "5")
    assert len(await decoded(path)) / SAMPLE_RATE == pytest.approx(11, abs=0.1)
