"""The recordings that are sent, and their words."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.parity import sounds
from benchmarks.parity.sounds import SAMPLE_RATE, VOICES, voice
from testbed.inputs import recordings
from whisper_runtime.engine.interface import Samples

LONG_REPEATS: Final = 2


@dataclass(frozen=True)
class Clip:
    name: str
    content: bytes
    """A wav file."""
    seconds: float
    words: str


def short_clips() -> list[Clip]:
    """Kennedy and the five LibriVox recordings, 3 to 11 s."""
    words = transcripts()
    return [_clip(name, voice(name), words[name]) for name in VOICES]


def long_clip() -> Clip:
    """All of them one after the other, some windows long."""
    words, names = transcripts(), [*VOICES] * LONG_REPEATS
    return _clip("long", sounds.join(*(voice(name) for name in names)), " ".join(words[name] for name in names))


def transcripts() -> dict[str, str]:
    """The words of each recording of VOICES."""
    found = {"jfk": recordings.JFK_WORDS}
    for line in (recordings.ensure() / "librivox" / "transcription").read_text().splitlines():
        words, _, name = line.partition(" </s> (")
        found[name.rstrip(")")[-4:]] = words.removeprefix("<s> ")
    return found


def _clip(name: str, samples: Samples, words: str) -> Clip:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype(np.int16).tobytes())
    return Clip(name, buffer.getvalue(), len(samples) / SAMPLE_RATE, words)
