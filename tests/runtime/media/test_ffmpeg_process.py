"""ffmpeg's process ends with what it was asked for, or for a reason that is told, and never outlives its request."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import pytest

from whisper_runtime.media.ffmpeg_command import film_command
from whisper_runtime.media.ffmpeg_process import BYTES_PER_SECOND, Bounds, OnLog, Undecodable, run_ffmpeg
from whisper_runtime.media.refusals import AudioError
from whisper_runtime.media.tracks import Choice

SECONDS = 11
"""Of the recording."""


async def run(path: Path, bounds: Bounds, on_log: OnLog = lambda _: None) -> tuple[bytes, int]:
    """The log, and the bytes of the samples."""
    with path.open("rb") as media, tempfile.TemporaryFile() as target:
        log = await run_ffmpeg(film_command(Choice(), ()), media, target, bounds, channels=1, on_log=on_log)
        return log, os.fstat(target.fileno()).st_size


def children() -> set[str]:
    """The processes that this one has started and that are there."""
    return set(Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())


def bounds(max_seconds: float = 60, timeout: float = 60) -> Bounds:
    return Bounds(max_seconds, timeout, on_bytes=lambda _: None)


async def test_the_samples_are_written_and_the_log_is_kept(jfk: Path) -> None:
    told: list[bytes] = []
    taken: list[int] = []
    log, size = await run(jfk, Bounds(60, 60, taken.append), told.append)
    assert size == SECONDS * BYTES_PER_SECOND
    assert log.startswith(told[0])
    assert told[-1] == log
    assert max(taken) == SECONDS * BYTES_PER_SECOND  # what the file declares is told before it is there


async def test_what_is_no_media_cannot_be_decoded(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no audio at all")
    with pytest.raises((Undecodable, AudioError)):
        await run(tmp_path / "text", bounds())


async def test_a_file_that_declares_too_much_is_refused_by_its_header(jfk: Path) -> None:
    with pytest.raises(AudioError) as told:
        await run(jfk, bounds(max_seconds=5))
    assert told.value.reason == "TooLong"


@pytest.mark.parametrize("raised", [AudioError("NoSpace", "full"), asyncio.CancelledError()], ids=["refused", "left"])
async def test_what_the_request_raises_ends_ffmpeg(jfk: Path, raised: BaseException) -> None:
    def refuse(_: int) -> None:
        raise raised

    before = children()
    with pytest.raises(type(raised)):
        await run(jfk, Bounds(60, 60, refuse))
    assert children() == before


def test_what_is_decoded_already_counts_for_length_and_disk() -> None:
    taken: list[int] = []
    left = Bounds(60, 30, taken.append).behind(20)
    left.on_bytes(4)
    assert (left.max_seconds, left.timeout, taken) == (40, 30, [20 * BYTES_PER_SECOND + 4])
