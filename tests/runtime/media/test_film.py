"""One film is decoded by the way of reading that its bytes ask for, and its clock's beginning is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.media_files import speech_as
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.ffmpeg_process import Bounds
from whisper_runtime.media.film import DecodedAudio, decode_film, is_silent
from whisper_runtime.media.raw_audio import UNDECLARED
from whisper_runtime.media.source import source_of


async def film(path: Path) -> DecodedAudio:
    with path.open("rb") as media:
        return await decode_film(source_of(media, UNDECLARED), Bounds(60, 60, lambda _: None), ())


@pytest.mark.parametrize(("name", "clock"), [("a.wav", 0), ("a.ts", 1.4), ("a.avi", 0)])
async def test_its_clock_is_told_with_its_samples(jfk: Path, tmp_path: Path, name: str, clock: float) -> None:
    """ffmpeg begins a transport stream's at 1.4 s."""
    found = await film(speech_as(jfk, tmp_path / name, "-c:a", "aac" if name == "a.ts" else "pcm_s16le"))
    assert found.clock == clock
    assert len(found.samples) / SAMPLE_RATE == pytest.approx(11, abs=0.1)


@pytest.mark.parametrize(("peak", "answer"), [(0.0, True), (0.0005, True), (0.01, False)])
async def test_samples_without_any_sound_are_silent(peak: float, answer: bool) -> None:
    assert await is_silent(np.array([0, peak, 0], dtype=np.float32)) is answer
