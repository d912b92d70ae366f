"""Samples of one ffmpeg are told from those of another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from whisper_runtime.media.decoder_version import decoder_version


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    decoder_version.cache_clear()
    yield
    decoder_version.cache_clear()


def of(directory: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The version of an ffmpeg that prints `text`."""
    directory.mkdir()
    program = directory / "ffmpeg"
    program.write_text(f"#!/bin/sh\necho '{text}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory), prepend=":")
    decoder_version.cache_clear()
    return decoder_version()


def test_it_is_the_real_ones() -> None:
    assert len(decoder_version()) == 64


def test_another_release_or_another_library_is_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = ["ffmpeg version 7.1\nlibswresample 5.3.100", "ffmpeg version 8.0\nlibswresample 5.3.100"]
    printed.append("ffmpeg version 7.1\nlibswresample 5.4.100")
    found = [of(tmp_path / str(index), text, monkeypatch) for index, text in enumerate(printed)]
    assert len(set(found)) == 3
    assert of(tmp_path / "again", printed[0], monkeypatch) == found[0]
