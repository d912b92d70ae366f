"""Sound for a receiver in the samples of a WAV is decoded or named, and never taken for samples."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.media.conftest import decoded, refused, sounds_like
from tests.support.media_files import ffmpeg, speech_as
from whisper_runtime.media.spdif import unread_codec

SYNC = b"\x72\xf8\x1f\x4e"


def recorded(jfk: Path, target: Path, codec: str, rate: str) -> Path:
    """What a capture card records of a player's digital output."""
    bursts = target.with_suffix(".spdif")
    speech_as(jfk, bursts, "-c:a", codec, "-ar", "48000", "-ac", "2", "-f", "spdif")
    ffmpeg("-f", "s16le", "-ar", rate, "-ac", "2", "-i", bursts, "-c:a", "copy", target)
    return target


@pytest.mark.parametrize(
    ("samples", "codec"),
    [
        (SYNC + b"\x15\0", "E-AC-3"),
        (bytes(100_000) + SYNC + b"\x15\0", "E-AC-3"),
        (SYNC + b"\x01\0", None),
        (bytes(100_000) + SYNC + b"\x01\0", "AC-3"),
        (bytes(100) + SYNC + b"\x16\0", "TrueHD"),
        (b"\1" * 100 + SYNC + b"\x15\0", None),
        (bytes(100) + SYNC + b"\x1f\0", None),
        (bytes(100), None),
        (b"", None),
    ],
    ids=[
        "at the beginning",
        "behind silence",
        "what ffmpeg reads",
        "where ffmpeg does not look",
        "another",
        "by chance in samples",
        "no data type",
        "silence",
        "nothing",
    ],
)
def test_a_codec_that_would_be_noise_is_told(samples: bytes, codec: str | None) -> None:
    assert unread_codec(b"a header" + samples, 8) == codec


async def test_dolbys_bursts_are_decoded(jfk: Path, tmp_path: Path) -> None:
    assert sounds_like(await decoded(recorded(jfk, tmp_path / "a.wav", "ac3", "48000")), jfk)


async def test_those_that_nothing_here_reads_are_refused_by_name(jfk: Path, tmp_path: Path) -> None:
    error = await refused(recorded(jfk, tmp_path / "a.wav", "eac3", "192000"))
    assert error.reason == "NotAudio"
    assert "are E-AC-3 for a receiver" in error.message
