"""A WavPack that was cut ends within a block."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.media_files import speech_as
from whisper_runtime.media.wavpack import ends_within_a_block


def is_cut(content: bytes) -> bool:
    return ends_within_a_block(lambda count, at: content[at : at + count], len(content))


def test_with_a_length_and_from_a_pipe(jfk: Path, tmp_path: Path) -> None:
    command = ("ffmpeg", "-loglevel", "error", "-i", str(jfk), "-f", "wv", "-")
    piped = subprocess.run(command, capture_output=True, check=True).stdout
    for content in (speech_as(jfk, tmp_path / "a.wv").read_bytes(), piped):
        assert not is_cut(content)
        assert is_cut(content[: len(content) // 2])


def test_a_title_behind_the_blocks_is_none(jfk: Path, tmp_path: Path) -> None:
    content = speech_as(jfk, tmp_path / "a.wv").read_bytes()
    assert not is_cut(content + b"TAG".ljust(128, b"\0"))
    assert not is_cut(b"")
