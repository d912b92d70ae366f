"""A FLAC without a length was cut where the check at its end is wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.media_files import speech_as
from whisper_runtime.media.flac_frames import CRC_8, CRC_16, ends_within_a_flac_frame


def from_a_pipe(recording: Path, *options: str) -> bytes:
    command = ("ffmpeg", "-loglevel", "error", "-i", str(recording), *options, "-f", "flac", "-")
    return subprocess.run(command, capture_output=True, check=True).stdout


def is_cut(content: bytes) -> bool:
    return ends_within_a_flac_frame(lambda count, at: content[at : at + count], len(content))


@pytest.mark.parametrize("options", [(), ("-ar", "96000", "-sample_fmt", "s32", "-ac", "2"), ("-frame_size", "192")])
def test_one_from_a_pipe(jfk: Path, options: tuple[str, ...]) -> None:
    content = from_a_pipe(jfk, *options)
    assert not is_cut(content)
    assert not is_cut(content + b"TAG".ljust(128, b"\0"))
    assert all(is_cut(content[: int(len(content) * share)]) for share in (0.9, 0.5, 0.3))
    assert all(is_cut(content[:-missing]) for missing in (1, 2, 3))


def test_one_that_says_its_length_is_judged_by_that(jfk: Path, tmp_path: Path) -> None:
    content = speech_as(jfk, tmp_path / "a.flac").read_bytes()
    assert not is_cut(content[: len(content) // 2])


NO_FRAMES = b"fLaC".ljust(60, b"\0")


@pytest.mark.parametrize("content", [b"", b"fLaC", NO_FRAMES, NO_FRAMES + b"\xff\xf8" * 50])
def test_without_a_frame_nothing_is_known(content: bytes) -> None:
    assert not is_cut(content)


def test_checks_by_their_published_values() -> None:
    """Of `123456789`, as catalogues of such checks (CRC-8/SMBUS, CRC-16/UMTS) have them."""
    assert (CRC_8.of(b"123456789"), CRC_16.of(b"123456789")) == (0xF4, 0xFEE8)
