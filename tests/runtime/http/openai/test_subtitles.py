"""Cues as SubRip and WebVTT, which ffmpeg reads back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.spoken import recording, segment
from whisper_runtime.http.openai.cues import Cue, cues_of
from whisper_runtime.http.openai.subtitles import srt, vtt

HOUR = 3_600_000


def test_srt_is_numbered_and_always_has_hours() -> None:
    assert srt([Cue(0, 2500, "Ask not."), Cue(HOUR, HOUR + 61_500, "One\nTwo")]) == (
        "1\n00:00:00,000 --> 00:00:02,500\nAsk not.\n\n2\n01:00:00,000 --> 01:01:01,500\nOne\nTwo\n\n"
    )


def test_a_channel_is_a_prefix_or_a_voice() -> None:
    cues = [Cue(0, 1000, "Ask & not.", 0), Cue(1000, 2500, "One\nTwo", 1)]
    assert srt(cues) == (
        "1\n00:00:00,000 --> 00:00:01,000\nChannel 0: Ask & not.\n\n"
        "2\n00:00:01,000 --> 00:00:02,500\nChannel 1: One\nTwo\n\n"
    )
    assert vtt(cues) == (
        "WEBVTT\n\n00:00.000 --> 00:01.000\n<v Channel 0>Ask &amp; not.\n\n"
        "00:01.000 --> 00:02.500\n<v Channel 1>One\nTwo\n\n"
    )


def test_vtt_has_hours_where_there_are_any() -> None:
    assert vtt([Cue(0, 2500, "Ask not."), Cue(HOUR, HOUR + 61_500, "One\nTwo")]) == (
        "WEBVTT\n\n00:00.000 --> 00:02.500\nAsk not.\n\n01:00:00.000 --> 01:01:01.500\nOne\nTwo\n\n"
    )


@pytest.mark.parametrize(
    ("hours", "shown"), [(99, "99:00:00"), (100, "100:00:00"), (1234, "1234:00:00"), (1000, "1000:00:00")]
)
def test_hours_have_as_many_digits_as_they_need(hours: int, shown: str) -> None:
    cue = Cue(hours * HOUR, hours * HOUR + 1, "late")
    assert f"{shown},000 --> {shown},001" in srt([cue])
    assert f"{shown}.000 --> {shown}.001" in vtt([cue])


def test_markup_is_text_in_vtt_and_srt_has_no_escapes() -> None:
    cue = Cue(0, 1000, "AT&T <inaudible> a < b > c &lt; \"d\" 'e'")
    assert cue.text in srt([cue])
    assert "\nAT&amp;T &lt;inaudible&gt; a &lt; b &gt; c &amp;lt; \"d\" 'e'\n" in vtt([cue])


def test_nothing_said_is_an_empty_file_or_a_header() -> None:
    assert (srt([]), vtt([])) == ("", "WEBVTT\n\n")


TRICKY = recording(
    segment(0.0, 3.0, " one\n\n2\n00:00:01,000 --> 00:00:02,000\ntwo"),
    segment(2.0, 2.0, " 1984"),
    segment(2.0, 4.0, "  "),
    segment(4.0, 9.0, " AT&T <inaudible> \u2028 NOTE \0 a < b"),
    segment(9.0, 9.0, "WEBVTT"),
    segment(12.0, 30.0, " 00:00:05.000 --> 00:00:06.000"),
    duration=10.0,
)


@pytest.mark.parametrize(("name", "write"), [("a.srt", srt), ("a.vtt", vtt)])
def test_ffmpeg_reads_as_many_cues_at_the_same_times(tmp_path: Path, name: str, write: Any) -> None:
    cues = cues_of(TRICKY, None)
    (tmp_path / name).write_text(write(cues))
    packets = _probed(tmp_path / name)
    assert [(packet["pts"], packet["pts"] + packet["duration"]) for packet in packets] == [
        (cue.start, cue.end) for cue in cues
    ]
    assert len(cues) == 5


def _probed(path: Path) -> list[dict[str, Any]]:
    """The packets that ffmpeg makes of a file of subtitles; their times are milliseconds."""
    command = ("ffprobe", "-v", "error", "-show_packets", "-of", "json", str(path))
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packets"]
