"""A container's clock that runs apart from the samples is followed, as players follow it; one that only shakes is not.

Of phones, screen recorders and capture cards, each of which has a clock for its sound and another one for its file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import whisper

from tests.runtime.media.conftest import begins, decoded, loudness
from tests.support.media_files import ffmpeg, speech_as
from whisper_runtime.engine.interface import Samples
from whisper_runtime.media.channels import decode_channels
from whisper_runtime.media.ffmpeg_command import SAMPLE_RATE

SECONDS = 200
EVERY = 5
BEEP = 0.2
CODECS = {"webm": "libopus", "mkv": "pcm_s16le", "mp4": "aac", "mov": "alac", "ts": "mp2", "wma": "wmav2"}
MILLISECONDS = {"flv": "aac", "mka": "flac"}
"""Containers whose times are whole ones, which `setts` counts in."""


@pytest.fixture(scope="module")
def beeps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One each five seconds from 2 s on."""
    path = tmp_path_factory.mktemp("beeps") / "beeps.wav"
    is_on = f"between(mod(t,{EVERY}),2,2+{BEEP})"
    ffmpeg("-f", "lavfi", "-i", f"aevalsrc='0.5*sin(2*PI*600*t)*{is_on}':s=48000:d={SECONDS}", path)
    return path


def heard_at(samples: Samples) -> Samples:
    """The second at which each beep begins; each must last as long as it should, but for what 4 % change."""
    is_on = np.concatenate([[False], loudness(samples, 16) > 0.05, [False]])
    edges = np.flatnonzero(is_on[1:] != is_on[:-1]).reshape(-1, 2) / 1000
    assert np.abs(edges[:, 1] - edges[:, 0] - BEEP).max() < 0.03
    return edges[:, 0].astype(np.float32)


def clocked(source: Path, target: Path, times: str, *options: str) -> Path:
    """The recording with packets at other times; a `setts` of its own form."""
    codec = (CODECS | MILLISECONDS)[target.suffix[1:]]
    return speech_as(source, target, *options, "-c:a", codec, "-bsf:a", f"setts=ts='{times}'")


@pytest.mark.parametrize("form", CODECS)
@pytest.mark.parametrize("rate", [0.99, 0.998, 1.002, 1.01])
async def test_sound_lies_where_a_clock_has_it_that_runs_apart(
    beeps: Path, tmp_path: Path, form: str, rate: float
) -> None:
    samples = await decoded(clocked(beeps, tmp_path / f"a.{form}", f"TS*{rate}"))
    wanted = np.arange(2, SECONDS, EVERY) * rate
    assert np.abs(heard_at(samples) - wanted).max() < 0.12
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS * rate, abs=0.15)


async def test_a_gap_in_such_a_recording_is_as_long_as_its_clock_has_it(beeps: Path, tmp_path: Path) -> None:
    samples = await decoded(clocked(beeps, tmp_path / "a.mp4", "TS*1.005+gte(TS,48000*100)*48000*20"))
    nominal = np.arange(2, SECONDS, EVERY)
    assert np.abs(heard_at(samples) - nominal * 1.005 - (nominal > 100) * 20).max() < 0.12


async def test_each_channel_of_such_a_recording_lies_there(beeps: Path, tmp_path: Path) -> None:
    path = clocked(beeps, tmp_path / "a.mp4", "TS*1.002", "-ac", "2")
    with path.open("rb") as media:
        both = await decode_channels(media, max_seconds=3600, timeout=60, on_bytes=lambda _: None)
    for channel in both:
        assert np.abs(heard_at(channel.samples) - np.arange(2, SECONDS, EVERY) * 1.002).max() < 0.12


@pytest.mark.parametrize(("form", "shake"), [("mka", 60), ("mka", 0), ("flv", 15)])
async def test_a_clock_that_shakes_changes_no_sample(beeps: Path, tmp_path: Path, form: str, shake: int) -> None:
    """By so many milliseconds to both sides, as a live stream's, or by their fractions, as where a form has none."""
    long_frames = ("-frame_size", "9216") if form == "mka" else ("-ar", "44100")
    path = clocked(beeps, tmp_path / f"a.{form}", f"TS+(mod(N*7919+50,101)/50-1)*{shake}", *long_frames)
    assert np.array_equal(await decoded(path), whisper.load_audio(str(path)))


async def test_sound_that_comes_late_now_and_then_makes_nothing_later(beeps: Path, tmp_path: Path) -> None:
    """As a live stream's whose network halts: 0.3 s of it have late times each twenty seconds, what follows has not."""
    halts = "max(PREV_OUTPTS+1,TS+300*between(mod(TS,20000),10000,10300))"
    found = heard_at(await decoded(clocked(beeps, tmp_path / "a.flv", halts, "-ar", "44100")))
    assert abs(found[-1] - 197) < 0.2


async def test_a_voice_is_as_like_itself_as_before(jfk: Path, tmp_path: Path) -> None:
    path = clocked(jfk, tmp_path / "a.mov", "TS*1.01")
    assert begins(await decoded(path), jfk, 0) == pytest.approx(0, abs=0.1)
