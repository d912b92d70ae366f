"""Dialogues of known speakers, joined from single lines: who speaks when is known to a hundredth of a second."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from scipy import signal as scipy_signal

from benchmarks.diarization.error_rate import Spoken
from benchmarks.parity.sounds import SAMPLE_RATE
from testbed.inputs import fillets, prompts
from whisper_runtime.engine.interface import Samples

HOP: Final = 160
QUIET: Final = 0.03
"""Of a line's loudest 10 ms, below which nothing is spoken."""
PAUSE: Final = 0.3
"""Seconds; shorter ones belong to the speech around them."""
SHORTEST: Final = 1.0
LEVEL: Final = 0.08
"""Root mean square of each line."""
FILES: Final = 64
"""That are decoded at once."""
GAPS: Final = (0.1, 0.8)
"""Seconds between two lines, from and to."""
OVERLAPS: Final = (0.3, 1.0)
"""Seconds that two speakers share where lines overlap."""
GOES_ON: Final = 0.3
"""How often a speaker says another line."""
SPEAKERS: Final = ("nl/v", "nl/m", "cs/v", "cs/m", "es", "fr", "it", "ru")
"""Actors of fillets-ng by their language, and those of telephone prompts."""


@dataclass(frozen=True)
class Dialogue:
    samples: Samples
    truth: tuple[Spoken, ...]


def dialogue(seed: int, speakers: Sequence[str], seconds: float, overlapping: float = 0.0) -> Dialogue:
    """Speakers of SPEAKERS by turns, from one line to the next, until `seconds` are full.

    `overlapping`: the part of changes of speakers at which the next one begins before the other one has ended.
    """
    rng = np.random.default_rng(seed)
    samples, truth = np.zeros(round((seconds + 60) * SAMPLE_RATE), np.float32), list[Spoken]()
    at, speaker = 0.5, speakers[0]
    while at < seconds:
        line = _line(speaker, rng)
        truth += [Spoken(at + start, at + end, speaker) for start, end in _spoken(line)]
        begin = round(at * SAMPLE_RATE)
        samples[begin : begin + len(line)] += line
        at += len(line) / SAMPLE_RATE
        before = speaker
        if rng.random() >= GOES_ON:
            speaker = str(rng.choice([other for other in speakers if other != speaker] or [speaker]))
        overlaps = speaker != before and rng.random() < overlapping
        at += -float(rng.uniform(*OVERLAPS)) if overlaps else float(rng.uniform(*GAPS))
    end = round((max(one.end for one in truth) + 0.5) * SAMPLE_RATE)
    return Dialogue(samples[:end], tuple(sorted(truth)))


signal: Final = cast(Any, scipy_signal)


def by_telephone(samples: Samples) -> Samples:
    """Of 300 to 3400 Hz, at 8 kHz and in 8 bits by the µ-law, as a call is."""
    low = signal.resample_poly(samples, 1, 2)
    band: Samples = signal.sosfilt(signal.butter(6, (300, 3400), "bandpass", output="sos", fs=8000), low)
    return _from_8_kilohertz(band)[: len(samples)]


def in_8_kilohertz(samples: Samples) -> Samples:
    """In 8 bits by the µ-law, as a call over the internet is: what is low is left in."""
    return _from_8_kilohertz(signal.resample_poly(samples, 1, 2))[: len(samples)]


def _from_8_kilohertz(samples: Samples) -> Samples:
    packed = np.sign(samples) * np.log1p(255 * np.minimum(np.abs(samples), 1)) / np.log(256)
    steps = np.rint(packed * 127) / 127
    unpacked = np.sign(steps) * np.expm1(np.abs(steps) * np.log(256)) / 255
    return signal.resample_poly(unpacked, 2, 1).astype(np.float32)


def _line(speaker: str, rng: np.random.Generator) -> Samples:
    """One of the speaker's lines, trimmed and at one loudness."""
    lines = _lines(speaker)
    return lines[int(rng.integers(len(lines)))]


@cache
def _lines(speaker: str) -> Sequence[Samples]:
    """All of the speaker's lines that are long enough."""
    trimmed = [_trimmed(line) for line in _read(_files(speaker))]
    long_enough = [line for line in trimmed if len(line) >= SHORTEST * SAMPLE_RATE]
    return [line * np.float32(LEVEL / np.sqrt(np.mean(line**2))) for line in long_enough]


def _files(speaker: str) -> Sequence[Path]:
    language, _, actor = speaker.partition("/")
    if actor:
        return fillets.lines(language, "m" if actor == "m" else "v")
    return [one.path for one in prompts.in_every_language()[language]]


def _read(files: Sequence[Path]) -> Iterator[Samples]:
    """Many files by one ffmpeg, as its start takes longer than a line."""
    for first in range(0, len(files), FILES):
        some = files[first : first + FILES]
        with tempfile.TemporaryDirectory() as directory:
            names = [f"{directory}/{number}" for number in range(len(some))]
            inputs = [word for file in some for word in ("-i", str(file))]
            form = ("-f", "f32le", "-ac", "1", "-ar", str(SAMPLE_RATE))
            outputs = [word for number, name in enumerate(names) for word in ("-map", str(number), *form, name)]
            subprocess.run(("ffmpeg", "-v", "error", *inputs, *outputs), check=True)
            yield from (np.fromfile(name, np.float32) for name in names)


def _loud(line: Samples) -> npt.NDArray[np.bool_]:
    """Whether something is spoken in each 10 ms."""
    frames = line[: len(line) // HOP * HOP].reshape(-1, HOP)
    level = np.sqrt(np.mean(frames**2, axis=1))
    return level > QUIET * level.max(initial=1e-6)


def _trimmed(line: Samples) -> Samples:
    loud = np.flatnonzero(_loud(line))
    return line[loud[0] * HOP : (loud[-1] + 1) * HOP] if len(loud) else line[:0]


def _spoken(line: Samples) -> list[tuple[float, float]]:
    """Start and end of what is spoken, in seconds, with short pauses in it."""
    found: list[tuple[float, float]] = []
    for at in np.flatnonzero(_loud(line)).tolist():
        start, end = at * HOP / SAMPLE_RATE, (at + 1) * HOP / SAMPLE_RATE
        if found and start - found[-1][1] < PAUSE:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found
