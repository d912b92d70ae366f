"""Speech is found in recordings of any length and loudness, piece by piece."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from benchmarks.parity import sounds
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.speech.spans import Span, SpeechDetection
from whisper_runtime.service.speech_detector import PIECE, SpeechDetector


async def spans(samples: Samples) -> list[Span]:
    return await SpeechDetector(1).spans(samples, SpeechDetection())


@pytest.mark.parametrize("seconds", [0, 0.01, 61])
async def test_silence_has_none(seconds: float) -> None:
    assert await spans(sounds.silence(seconds)) == []


@pytest.mark.slow
@pytest.mark.parametrize("level", [1.0, 0.1, 0.01, 0.001])
async def test_speech_across_two_pieces(level: float) -> None:
    speech = sounds.voice("jfk")
    (found,) = await spans(sounds.join(sounds.silence(55), speech, sounds.silence(9)) * np.float32(level))
    assert 55 * sounds.SAMPLE_RATE < PIECE < 66 * sounds.SAMPLE_RATE
    assert (found.start, found.end) == (pytest.approx(55, abs=0.5), pytest.approx(66, abs=1))


@pytest.mark.parametrize("level", [1e-5, 1e-4, 1e-3, 0.05])
async def test_noise_that_is_made_louder_stays_noise(level: float) -> None:
    assert await spans(sounds.hiss(20, level)) == []


async def test_a_detection_ends_with_its_task() -> None:
    task = asyncio.create_task(spans(sounds.hiss(3600, 0.05)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
