"""Media for tests, made by ffmpeg from real speech."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Final

FORMATS: Final[dict[str, tuple[str, ...]]] = {
    "wav": (),
    "mp3": (),
    "flac": (),
    "m4a": (),
    "ogg": ("-c:a", "libvorbis"),
    "opus": ("-c:a", "libopus"),
    "webm": ("-c:a", "libopus"),
    "mkv": ("-c:a", "libopus"),
    "aiff": (),
    "wv": (),
    "tta": (),
    "voc": (),
    "eac3": (),
    "dts": ("-strict", "-2", "-c:a", "dca", "-ar", "48000", "-ac", "2"),
    "thd": ("-strict", "-2", "-c:a", "truehd", "-ar", "48000", "-ac", "2"),
    "nut": ("-c:a", "aac"),
    "rm": ("-c:a", "ac3"),
    "wtv": ("-c:a", "mp2"),
    "loas": ("-c:a", "aac", "-f", "latm"),
    "gsm": ("-ar", "8000"),
    "spx": ("-c:a", "libspeex"),
    "caf": (),
    "w64": (),
    "flv": ("-c:a", "aac"),
    "wma": (),
    "avi": ("-c:a", "libmp3lame"),
    "3gp": ("-c:a", "aac"),
}
"""ffmpeg's options for each form of media that carries speech."""


def ffmpeg(*arguments: str | Path) -> None:
    subprocess.run(("ffmpeg", "-loglevel", "error", "-y", *map(str, arguments)), check=True)


def speech_as(source: Path, target: Path, *options: str) -> Path:
    """The recording in another format: the one that the target's name says, or the one that the options say."""
    ffmpeg("-i", source, *FORMATS.get(target.suffix[1:], ()), *options, target)
    return target


def tone(target: Path, seconds: float = 2, *options: str) -> Path:
    ffmpeg("-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}", *options, target)
    return target


def wav_tone(seconds: float = 2) -> bytes:
    """A WAV of a tone, mono, of 16 bits at 16 kHz."""
    with tempfile.TemporaryDirectory() as directory:
        return tone(Path(directory, "tone.wav"), seconds, "-ar", "16000").read_bytes()
