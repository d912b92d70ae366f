"""ffprobe's account of a file, which may be anything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.media_files import speech_as
from whisper_runtime.media.probe import probe


async def test_each_stream_with_what_a_track_is_chosen_by(recordings: Path, tmp_path: Path) -> None:
    path = speech_as(
        recordings / "jfk.wav", tmp_path / "a.mkv", "-metadata:s:a", "language=ger", "-metadata:s:a", "title=x"
    )
    with path.open("rb") as media:
        (stream,) = json.loads(await probe(media))["streams"]
    assert (stream["index"], stream["codec_type"], stream["codec_name"], stream["channels"]) == (0, "audio", "opus", 1)
    assert stream["tags"] == {"language": "ger", "title": "x"}


@pytest.mark.parametrize("content", [b"no media", b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", b""])
async def test_what_is_no_media_has_no_streams(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with (tmp_path / "a").open("rb") as media:
        assert b"streams" not in await probe(media)
