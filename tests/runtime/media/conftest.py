"""Decoding as the tests of media ask for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import whisper

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media import decode
from whisper_runtime.media.decode import AudioError


@pytest.fixture
def jfk(recordings: Path) -> Path:
    return recordings / "jfk.wav"


async def decoded(path: Path, max_seconds: float = 3600, timeout: float = 60, language: str | None = None) -> Samples:
    with path.open("rb") as media:
        return await decode.decode(
            media, max_seconds=max_seconds, timeout=timeout, on_bytes=lambda _: None, language=language
        )


async def refused(path: Path, max_seconds: float = 3600, timeout: float = 60) -> AudioError:
    with pytest.raises(AudioError) as error:
        await decoded(path, max_seconds, timeout)
    return error.value


def is_speech(samples: Samples, jfk: Path) -> bool:
    """Whether these are the recording's samples, but for what an encoder changes, and not a tone."""
    wanted = whisper.load_audio(str(jfk))
    length = min(len(samples), len(wanted))
    return float(np.corrcoef(samples[:length], wanted[:length])[0, 1]) > 0.9
