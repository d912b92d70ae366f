"""Samples lie where a player plays them: late starts and gaps are silence, and jumps of a clock lose nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.runtime.media.conftest import decoded
from tests.support.media_files import ffmpeg, speech_as
from whisper_runtime.media.decode import SAMPLE_RATE


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
    path = speech_as(jfk, tmp_path / name, "-af", "asetpts='PTS-gte(T,5)*2/TB'", "-c:a", codec)
    assert len(await decoded(path)) / SAMPLE_RATE == pytest.approx(11, abs=0.1)


@pytest.mark.parametrize("offsets", [(36_000, 0), (0, 36_000)])
async def test_a_jump_of_a_transport_streams_clock_is_no_length(
    jfk: Path, tmp_path: Path, offsets: tuple[int, int]
) -> None:
    """Two recordings that were joined, ten hours apart by their clocks."""
    parts = [
        speech_as(jfk, tmp_path / f"{number}.ts", "-c:a", "aac", "-output_ts_offset", str(offset)).read_bytes()
        for number, offset in enumerate(offsets)
    ]
    (tmp_path / "joined.ts").write_bytes(b"".join(parts))
    assert len(await decoded(tmp_path / "joined.ts")) / SAMPLE_RATE == pytest.approx(22, abs=0.3)
