"""Samples that were kept as FLAC are the very same ones."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
import whisper

from testbed.inputs import recordings
from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.decode import decode
from whisper_runtime.media.flac import NotEncoded, encode_flac


async def decoded(path: Path) -> Samples:
    with path.open("rb") as file:
        return (await decode(file, max_seconds=600, timeout=60, on_bytes=lambda _: None)).samples


async def kept(*found: Samples) -> tuple[Samples, int]:
    """The samples after they were kept, and the bytes that they took."""
    with tempfile.TemporaryFile() as flac:
        await encode_flac(found, flac, timeout=60)
        size = flac.seek(0, 2)
        flac.seek(0)
        return (await decode(flac, max_seconds=600, timeout=60, on_bytes=lambda _: None)).samples, size


async def test_speech_is_what_whisper_loads_and_takes_less_than_pcm() -> None:
    path = recordings.ensure() / "jfk.wav"
    samples = await decoded(path)
    found, size = await kept(samples)
    assert np.array_equal(found, samples)
    assert np.array_equal(found, whisper.load_audio(str(path)))
    assert size < 0.7 * (len(samples) * 2)


@pytest.mark.parametrize("name", ["noise", "extremes", "silence", "one"])
async def test_any_samples_come_back(name: str) -> None:
    numbers = {
        "noise": np.random.default_rng(7).integers(-32768, 32768, 160_000),
        "extremes": np.tile([-32768, 32767], 40_000),
        "silence": np.zeros(80_000),
        "one": np.array([5]),
    }[name]
    samples = (numbers / 32768).astype(np.float32)
    found, _ = await kept(samples)
    assert np.array_equal(found, samples)


async def test_recordings_are_one_behind_the_other() -> None:
    one, other = (np.full(48_000, level / 32768, np.float32) for level in (1000, -2000))
    found, _ = await kept(one, other)
    assert np.array_equal(found, np.concatenate([one, other]))


async def test_what_cannot_be_written_is_said() -> None:
    noise = (np.random.default_rng(7).integers(-32768, 32768, 160_000) / 32768).astype(np.float32)
    with open("/dev/full", "wb") as full, pytest.raises(NotEncoded, match="No space left"):
        await encode_flac([noise], full, timeout=60)
