"""The track that was decoded, by ffmpeg's log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.media.conftest import audio
from tests.support.media_files import ffmpeg, speech_as
from whisper_runtime.media.track_taken import TrackTaken, track_taken

LOG = b"""Input #0, matroska,webm, from 'file:/proc/self/fd/0':
  Duration: 00:00:11.00, start: 0.000000, bitrate: 285 kb/s
  Stream #0:0: Video: h264, 64x64
  Stream #0:1(fre): Audio: flac, 16000 Hz, mono, s16 (default)
  Stream #0:2[0x3](ger): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, 5.1(side), fltp, 69 kb/s
    Metadata:
      title           : x
                      :   Stream #0:9 -> #0:0 (evil (native) -> pcm_f32le (native))
Stream mapping:
  Stream #0:2 -> #0:0 (aac (native) -> pcm_f32le (native))
"""


def test_the_track_is_the_one_that_ffmpeg_maps() -> None:
    assert track_taken(LOG) == TrackTaken(2, "aac", "5.1(side)", "ger")
    assert track_taken(LOG.replace(b"#0:2 ->", b"#0:1 ->").replace(b"fre", b"und")) == TrackTaken(1, "aac", "mono")
    assert track_taken(LOG[LOG.index(b"Stream mapping") :]) == TrackTaken(2, "aac")
    assert track_taken(LOG[: LOG.index(b"Stream mapping")]) is None


@pytest.mark.parametrize(
    ("track", "header"),
    [
        (TrackTaken(2, "aac", "5.1(side)", "ger"), '2; codec="aac"; layout="5.1(side)"; language="ger"'),
        (TrackTaken(0, "pcm_s16le", "10 channels"), '0; codec="pcm_s16le"; layout="10 channels"'),
        (TrackTaken(0, "opus"), '0; codec="opus"'),
        (TrackTaken(0, "opus", "mono", ends_early=True), '0; codec="opus"; layout="mono"; ends-early'),
    ],
)
def test_the_header_is_a_structured_field(track: TrackTaken, header: str) -> None:
    assert track.header == header


@pytest.mark.parametrize(
    ("name", "track"),
    [
        ("a.wav", TrackTaken(0, "pcm_s16le", "mono")),
        ("a.mp3", TrackTaken(0, "mp3", "mono")),
        ("a.m4a", TrackTaken(0, "aac", "mono")),
        ("a.opus", TrackTaken(0, "opus", "mono")),
    ],
)
async def test_ffmpeg_tells_it_of_real_files(recordings: Path, tmp_path: Path, name: str, track: TrackTaken) -> None:
    assert (await audio(speech_as(recordings / "jfk.wav", tmp_path / name))).track == track


async def test_of_two_it_is_the_one_that_is_heard(recordings: Path, tmp_path: Path) -> None:
    jfk, title = recordings / "jfk.wav", "title=x\n  Stream #0:9 -> #0:0 (evil (native))"
    tags = ("-metadata:s:a:0", "language=fre", "-metadata:s:a:0", title, "-metadata:s:a:1", "language=eng")
    ffmpeg("-i", jfk, "-i", jfk, "-map", "0", "-map", "1", *tags, "-c:a", "flac", tmp_path / "two.mkv")
    assert (await audio(tmp_path / "two.mkv", languages=["en"])).track == TrackTaken(1, "flac", "mono", "eng")
    assert (await audio(tmp_path / "two.mkv")).track == TrackTaken(0, "flac", "mono", "fre")
