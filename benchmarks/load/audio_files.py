"""Recorded speech in several lengths and formats."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from benchmarks.load.client import AudioFile
from testbed.inputs import recordings

LENGTHS: Final = (3, 5, 8, 11)
LONG_SECONDS: Final = 600
FORMATS: Final = ("wav", "mp3", "flac", "m4a", "ogg")


def mixed(work: Path) -> list[AudioFile]:
    """A recording cut to several lengths, each in several formats."""
    jfk = recordings.ensure() / "jfk.wav"
    return [_made(jfk, work / f"{seconds}.{form}", seconds) for seconds in LENGTHS for form in FORMATS]


def short(work: Path) -> AudioFile:
    """Five seconds of speech."""
    return _made(recordings.ensure() / "jfk.wav", work / "short.wav", 5)


def long(work: Path) -> AudioFile:
    """Ten minutes: a recording again and again."""
    return _made(recordings.ensure() / "jfk.wav", work / "long.ogg", LONG_SECONDS, "-stream_loop", "-1")


def long_wav(work: Path) -> AudioFile:
    """The same as bare samples, which take eight times the bytes."""
    return _made(recordings.ensure() / "jfk.wav", work / "long.wav", LONG_SECONDS, "-stream_loop", "-1")


def _made(source: Path, target: Path, seconds: int, *options: str) -> AudioFile:
    command = ("ffmpeg", "-loglevel", "error", "-y", *options, "-i", str(source), "-t", str(seconds), str(target))
    subprocess.run(command, check=True)
    return AudioFile(target.name, target.read_bytes())
