"""Recordings of the corpus, and what is done to them; the same samples on every machine with the same espeak-ng."""

from __future__ import annotations

import io
import subprocess
import wave
from functools import cache
from typing import Final

import numpy as np

from testbed.inputs import recordings
from whisper_runtime.engine.interface import Samples

SAMPLE_RATE: Final = 16_000

VOICES: Final = ("jfk", "0870", "0880", "0890", "0920", "0930")
"""Kennedy, and the LibriVox recordings by their number."""


@cache
def voice(name: str) -> Samples:
    """A recording of VOICES."""
    directory = recordings.ensure()
    path = directory / "jfk.wav"
    if name != "jfk":
        path = directory / "librivox" / f"sense_and_sensibility_01_austen_64kb-{name}.wav"
    return _read(path.read_bytes())


@cache
def spoken(language: str, text: str) -> Samples:
    """`text` as espeak-ng says it."""
    command = ("espeak-ng", "-v", language, "-s", "140", "--stdout", text)
    return _read(subprocess.run(command, capture_output=True, check=True).stdout)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * SAMPLE_RATE), dtype=np.float32)


def hiss(seconds: float, level: float, seed: int = 0) -> Samples:
    """White noise with a root mean square of `level`."""
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * SAMPLE_RATE))).astype(np.float32)


def cut(samples: Samples, start: float, end: float) -> Samples:
    return samples[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]


def faster(samples: Samples, factor: float) -> Samples:
    """Sped up, pitch and all."""
    at = np.arange(0, len(samples) - 1, factor)
    return np.interp(at, np.arange(len(samples)), samples).astype(np.float32)


def noisy(samples: Samples, decibels: float, seed: int = 0) -> Samples:
    """With white noise at this ratio of signal to noise."""
    level = float(np.sqrt(np.mean(samples**2))) / 10 ** (decibels / 20)
    return samples + hiss(len(samples) / SAMPLE_RATE, level, seed)[: len(samples)]


def join(*pieces: Samples) -> Samples:
    return np.concatenate(pieces)


def _read(content: bytes) -> Samples:
    """A 16-bit mono wav at 16 kHz; espeak-ng's header lies about the length, so all that follows it is read."""
    with wave.open(io.BytesIO(content)) as file:
        rate = file.getframerate()
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        raw = file.readframes(len(content))
    samples = np.frombuffer(raw, np.int16).astype(np.float32) / 32768.0
    return samples if rate == SAMPLE_RATE else faster(samples, rate / SAMPLE_RATE)
