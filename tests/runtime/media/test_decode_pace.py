"""Where no frame lasts as long as the clock has it, speech is slowed down or sped up, and not cut by silence.

Of surveillance cameras and muxers that count in another rate than the sound's: players play the samples as they are,
and show the clock beside them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.runtime.media.conftest import decoded, sounds_like
from tests.runtime.media.test_decode_drift import SECONDS, beeps
from tests.support.media_files import speech_as
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE, pace_of

__all__ = ["beeps"]
FORMS = {
    "webm": ("-c:a", "libopus"),
    "mkv": ("-c:a", "pcm_s16le", "-af", "asetnsamples=320"),
    "mp4": ("-c:a", "aac"),
    "flv": ("-c:a", "pcm_s16le", "-ar", "44100", "-af", "asetnsamples=1024"),
}


def clocked(source: Path, target: Path, times: str) -> Path:
    return speech_as(source, target, *FORMS[target.suffix[1:]], "-bsf:a", f"setts=ts='{times}'")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pace", [0.5, 0.9, 1.088, 2, 3])
async def test_no_word_is_cut_and_each_lies_where_the_clock_has_it(
    jfk: Path, tmp_path: Path, form: str, pace: float
) -> None:
    """ffmpeg itself changes the pace of the recording that this is held against."""
    wanted = speech_as(jfk, tmp_path / "wanted.wav", "-af", f"atempo={pace**-0.5:.6f},atempo={pace**-0.5:.6f}")
    samples = await decoded(clocked(jfk, tmp_path / f"a.{form}", f"TS*{pace}"))
    assert len(samples) / SAMPLE_RATE == pytest.approx(11 * pace, abs=0.15)
    assert sounds_like(samples, wanted)


@pytest.mark.parametrize("pace", [0.5, 2])
async def test_of_a_long_recording_too(beeps: Path, tmp_path: Path, pace: float) -> None:
    samples = await decoded(clocked(beeps, tmp_path / "a.webm", f"TS*{pace}"))
    is_on = np.concatenate([[False], np.abs(samples[: len(samples) // 80 * 80]).reshape(-1, 80).max(axis=1) > 0.1])
    first = np.flatnonzero(is_on[1:] & ~is_on[:-1]) / 200
    wanted = np.arange(2, SECONDS, 5) * pace
    assert np.abs(first[np.abs(first[:, None] - wanted).argmin(axis=0)] - wanted).max() < 0.1


async def test_such_sound_may_begin_late(jfk: Path, tmp_path: Path) -> None:
    path = clocked(jfk, tmp_path / "a.mp4", "TS*2+16000*5")
    samples = await decoded(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(27, abs=0.15)
    assert not samples[: int(4.9 * SAMPLE_RATE)].any()


@pytest.mark.parametrize(
    "lost", ["lt(mod(n*7919,100),30)", "gt(mod(n,20),0)*between(n,100,400)"], ids=["by a network", "in a pause"]
)
async def test_packets_that_are_not_there_are_gaps(jfk: Path, tmp_path: Path, lost: str) -> None:
    whole = speech_as(jfk, tmp_path / "a.webm", "-c:a", "libopus")
    path = speech_as(whole, tmp_path / "b.mka", "-c:a", "copy", "-bsf:a", f"noise=drop='{lost}'")
    samples = await decoded(path)
    assert len(samples) / SAMPLE_RATE == pytest.approx(11, abs=0.3)


@pytest.mark.parametrize(
    ("log", "pace"),
    [
        (b"0.000000\nOutput #0\n2000000000000.000000\n1999898274739.443000\n", 1.999898274739),
        (b"0.000000\nOutput #0\n2000000000000.000000\n10000000000000.000000\n", 0),
        (b"0.000000\nOutput #0\n2000000000000.000000\n1500000000000.000000\n", 0),
        (b"1764554400.000000\nOutput #0\n", 0),
        (b"    title           : 2000000000000.000000\n", 0),
    ],
    ids=["one pace", "it ends", "it changes", "the time of day", "a title"],
)
def test_the_pace_by_ffmpegs_log(log: bytes, pace: float) -> None:
    assert pace_of(log) == pytest.approx(pace)
