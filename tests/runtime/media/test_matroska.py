"""Recordings of browsers that were joined: where ffmpeg cannot read on, they are cut, and all of them are decoded."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.media.conftest import begins, decoded
from tests.support.media_files import ffmpeg
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.matroska import end_of_matroska, later_parts

KINDS = {
    "browser's": ("-c:a", "libopus", "-live", "1"),
    "sized": ("-c:a", "libopus"),
    "vorbis": ("-c:a", "libvorbis"),
    "stereo": ("-c:a", "libopus", "-ac", "2"),
    "shorter": ("-c:a", "libopus", "-t", "3"),
}


@pytest.fixture
def recorded(jfk: Path, tmp_path: Path) -> dict[str, bytes]:
    """A WebM of each kind."""
    for kind, options in KINDS.items():
        ffmpeg("-i", jfk, *options, tmp_path / f"{kind}.webm")
    return {kind: (tmp_path / f"{kind}.webm").read_bytes() for kind in KINDS}


@pytest.mark.parametrize(
    ("kinds", "is_cut"),
    [
        (("sized",), False),
        (("sized", "shorter"), False),
        (("browser's", "browser's"), False),
        (("sized", "browser's"), False),
        (("browser's", "sized"), True),
        (("sized", "vorbis"), True),
        (("vorbis", "sized"), True),
        (("sized", "stereo"), True),
        (("browser's", "sized", "vorbis"), True),
    ],
    ids=str,
)
def test_they_are_cut_where_ffmpeg_does_not_read_on(
    recorded: dict[str, bytes], kinds: tuple[str, ...], is_cut: bool
) -> None:
    parts = [recorded[kind] for kind in kinds]
    begin = tuple(sum(map(len, parts[:number])) for number in range(1, len(parts)))
    assert later_parts(b"".join(parts)) == (begin if is_cut else ())


@pytest.mark.parametrize("behind", [b"", b"a title", b"\x1a\x45\xdf\xa3", b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm"])
def test_what_is_behind_a_recording_and_is_none_begins_no_part(recorded: dict[str, bytes], behind: bytes) -> None:
    assert [later_parts(recorded[kind] + behind) for kind in ("sized", "browser's")] == [(), ()]


@pytest.mark.parametrize("kinds", [("browser's", "sized"), ("sized", "vorbis"), ("vorbis", "browser's")], ids=str)
async def test_all_of_them_are_decoded(
    recorded: dict[str, bytes], jfk: Path, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    (tmp_path / "a.webm").write_bytes(b"".join(recorded[kind] for kind in kinds))
    samples = await decoded(tmp_path / "a.webm")
    assert len(samples) / SAMPLE_RATE == pytest.approx(22, abs=0.2)
    assert [begins(samples, jfk, after) for after in (0, 11)] == pytest.approx([0, 11], abs=0.2)


def test_wherever_a_file_is_cut_its_end_is_found_without_an_error(recorded: dict[str, bytes]) -> None:
    for content in recorded.values():
        for size in (*range(200), len(content) - 1, len(content)):
            end = end_of_matroska(content[:size])
            assert end is None or end[0] <= size
