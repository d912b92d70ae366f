"""ffmpeg is told what to read, which track, and how to mix it."""

from __future__ import annotations

from whisper_runtime.media.cage import INPUT, READING
from whisper_runtime.media.ffmpeg_command import CLOCK, ffmpeg_command
from whisper_runtime.media.tracks import Choice


def test_without_a_choice_ffmpeg_takes_a_track_and_mixes_it() -> None:
    command = ffmpeg_command(Choice(), ())
    assert "-map" not in command
    assert command[command.index("-af") + 1].startswith(f"{CLOCK},aformat=")
    at = command.index("-i")
    assert command[at - len(READING) : at + 2] == (*READING, "-i", INPUT)


def test_with_a_choice_it_is_told_both() -> None:
    command = ffmpeg_command(Choice(3, "pan=mono|c0=c1"), ("-f", "wav"))
    assert command[command.index("-map") + 1] == "0:3"
    assert command[command.index("-af") + 1].startswith(f"{CLOCK},pan=mono|c0=c1,aformat=")
    at = command.index("-i")
    assert command[at - 2 : at] == ("-f", "wav")
