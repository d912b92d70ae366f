"""Samples that were kept are the very same ones, as FLAC or as WAV."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.decode import decode
from whisper_runtime.media.flac import NotEncoded, encode_flac
from whisper_runtime.media.kept_audio import keep_audio, read_audio
from whisper_runtime.media.refusals import AudioError

Kept = Callable[..., Awaitable[tuple[Samples, int]]]


async def decoded(path: Path) -> Samples:
    with path.open("rb") as file:
        return (await decode(file, max_seconds=600, timeout=60, on_bytes=lambda _: None)).samples


async def as_flac(*found: Samples) -> tuple[Samples, int]:
    """The samples after they were kept, and the bytes that they took."""
    with tempfile.TemporaryFile() as file:
        await encode_flac(found, file, timeout=60)
        return await read_back(file)


async def as_any(*found: Samples) -> tuple[Samples, int]:
    with tempfile.TemporaryFile() as file:
        await keep_audio(found, file, timeout=60)
        return await read_back(file)


async def read_back(file: IO[bytes]) -> tuple[Samples, int]:
    size = file.seek(0, 2)
    file.seek(0)
    return (await read_audio(file, max_seconds=600, timeout=60, on_bytes=lambda _: None)).samples, size


@pytest.mark.parametrize("kept", [as_flac, as_any])
@pytest.mark.parametrize("name", ["noise", "extremes", "silence", "one"])
async def test_any_samples_come_back(name: str, kept: Kept) -> None:
    numbers = {
        "noise": np.random.default_rng(7).integers(-32768, 32768, 160_000),
        "extremes": np.tile([-32768, 32767], 40_000),
        "silence": np.zeros(80_000),
        "one": np.array([5]),
    }[name]
    samples = (numbers / 32768).astype(np.float32)
    found, _ = await kept(samples)
    assert np.array_equal(found, samples)


@pytest.mark.parametrize("kept", [as_flac, as_any])
@pytest.mark.parametrize("seconds", [3, 100])
async def test_recordings_are_one_behind_the_other(kept: Kept, seconds: int) -> None:
    one, other = (np.full(seconds * 16_000, level / 32768, np.float32) for level in (1000, -2000))
    found, _ = await kept(one, other)
    assert np.array_equal(found, np.concatenate([one, other]))


async def test_what_cannot_be_written_is_said() -> None:
    noise = (np.random.default_rng(7).integers(-32768, 32768, 160_000) / 32768).astype(np.float32)
    long = np.tile(noise, 13)
    with open("/dev/full", "wb", buffering=0) as full, pytest.raises(OSError, match="No space left"):
        await keep_audio([noise], full, timeout=60)
    with open("/dev/full", "wb") as full, pytest.raises(NotEncoded, match="No space left"):
        await keep_audio([long], full, timeout=60)


async def test_what_was_kept_and_is_damaged_is_no_recording() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"RIFF\0\0")
        with pytest.raises(AudioError, match="damaged"):
            await read_back(file)


async def test_the_disk_is_told_what_the_samples_take() -> None:
    told: list[int] = []
    with tempfile.TemporaryFile() as file:
        await keep_audio([np.zeros(16_000, np.float32)], file, timeout=60)
        file.seek(0)
        await read_audio(file, max_seconds=600, timeout=60, on_bytes=told.append)
    assert told == [64_000]
