"""Media is hostile: whatever is uploaded becomes samples or a sentence."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from whisper_runtime.audio import SAMPLE_RATE, AudioError, decode


def tone(path: Path, seconds: float = 2, *options: str) -> str:
    """A tone in the format that the file's name says."""
    source = ("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}")
    subprocess.run(("ffmpeg", "-loglevel", "error", *source, *options, str(path)), check=True)
    return str(path)


async def refused(path: Path | str, max_seconds: float = 60, timeout: float = 60) -> AudioError:
    with pytest.raises(AudioError) as error:
        await decode(str(path), max_seconds=max_seconds, timeout=timeout)
    return error.value


@pytest.mark.parametrize("form", ["wav", "mp3", "flac", "ogg", "m4a", "webm"])
async def test_common_formats_become_samples(tmp_path: Path, form: str) -> None:
    samples = await decode(tone(tmp_path / f"a.{form}"), max_seconds=60, timeout=60)
    assert samples.dtype == np.float32
    assert len(samples) / SAMPLE_RATE == pytest.approx(2, abs=0.1)
    assert 0.05 < np.abs(samples).max() <= 1


async def test_stereo_at_another_rate_becomes_mono_at_16_khz(tmp_path: Path) -> None:
    samples = await decode(tone(tmp_path / "a.wav", 1, "-ac", "2", "-ar", "44100"), max_seconds=60, timeout=60)
    assert len(samples) == SAMPLE_RATE


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "Empty"), (b"this is no audio" * 100, "NotAudio"), (b"RIFF\xff\xff\xff\xffWAVEfmt ", "NotAudio")],
)
async def test_what_is_no_audio_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a").write_bytes(content)
    assert (await refused(tmp_path / "a")).reason == reason


async def test_what_is_too_long_is_refused_with_the_limit(tmp_path: Path) -> None:
    error = await refused(tone(tmp_path / "a.wav", 5), max_seconds=3)
    assert error.reason == "TooLong"
    assert "3 s" in error.message


async def test_a_playlist_cannot_name_other_files(tmp_path: Path) -> None:
    tone(tmp_path / "secret.ts", 1, "-c:a", "aac")
    (tmp_path / "a.m3u8").write_text(f"#EXTM3U\n#EXTINF:1,\n{tmp_path / 'secret.ts'}\n#EXT-X-ENDLIST\n")
    assert (await refused(tmp_path / "a.m3u8")).reason == "NotAudio"


async def test_a_decoder_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    assert (await refused(tone(tmp_path / "a.flac", 600), max_seconds=3600, timeout=0.001)).reason == "TimedOut"
