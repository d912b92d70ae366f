"""Decoding as the tests of media ask for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import whisper

from whisper_runtime.engine.interface import Samples
from whisper_runtime.media import decode
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE
from whisper_runtime.media.film import DecodedAudio
from whisper_runtime.media.refusals import AudioError


@pytest.fixture
def jfk(recordings: Path) -> Path:
    return recordings / "jfk.wav"


async def audio(path: Path, max_seconds: float = 3600, timeout: float = 60, **wishes: Any) -> DecodedAudio:
    """What decode makes of the file; `wishes`: its `languages`, and what is `declared`."""
    with path.open("rb") as media:
        return await decode.decode(media, max_seconds=max_seconds, timeout=timeout, on_bytes=lambda _: None, **wishes)


async def decoded(path: Path, max_seconds: float = 3600, timeout: float = 60, **wishes: Any) -> Samples:
    return (await audio(path, max_seconds, timeout, **wishes)).samples


async def refused(path: Path, max_seconds: float = 3600, timeout: float = 60, **wishes: Any) -> AudioError:
    with pytest.raises(AudioError) as error:
        await audio(path, max_seconds, timeout, **wishes)
    return error.value


def is_speech(samples: Samples, jfk: Path) -> bool:
    """Whether these are the recording's samples, but for what an encoder changes, and not a tone."""
    wanted = whisper.load_audio(str(jfk))
    length = min(len(samples), len(wanted))
    return float(np.corrcoef(samples[:length], wanted[:length])[0, 1]) > 0.9


def loudness(samples: Samples, each: int = 1600) -> Samples:
    """Of each so many samples, by default a tenth of a second."""
    whole = samples[: len(samples) // each * each].reshape(-1, each)
    return np.sqrt(np.mean(whole**2, axis=1))


def begins(samples: Samples, recording: Path, after: int) -> float:
    """The second, from `after` on, at which the recording begins; minus infinity: it does not within a second."""
    wanted = loudness(whisper.load_audio(str(recording)), 160)
    heard = loudness(samples[max(0, after - 1) * SAMPLE_RATE :], 160)
    likeness = [np.corrcoef(heard[at : at + len(wanted)], wanted)[0, 1] for at in range(len(heard) - len(wanted) + 1)]
    best = int(np.argmax(likeness[:200]))
    return max(0, after - 1) + best / 100 if likeness[best] > 0.9 else -np.inf


def sounds_like(samples: Samples, recording: Path) -> bool:
    """Whether the recording is heard, though a telephone leaves high tones out, and a codec is some samples late."""
    heard, wanted = loudness(samples), loudness(whisper.load_audio(str(recording)))
    length = min(len(heard), len(wanted))
    return float(np.corrcoef(heard[:length], wanted[:length])[0, 1]) > 0.95
