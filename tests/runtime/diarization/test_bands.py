"""What telephones leave out of real voices is seen, and left out of others, so that both can be compared."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from benchmarks.diarization.dialogues import by_telephone as called
from benchmarks.diarization.dialogues import dialogue, in_8_kilohertz
from benchmarks.diarization.kinds import with_noise
from whisper_runtime.diarization.bands import Band, band_of, by_telephone
from whisper_runtime.diarization.embedding import LEVEL, WINDOW_SAMPLES, pieces_of
from whisper_runtime.diarization.mel import SAMPLE_RATE
from whisper_runtime.engine.interface import Samples
from whisper_runtime.engine.speech.spans import Span

ACTORS = ("nl/v", "nl/m", "cs/v", "cs/m")
WIDE, LOW, TELEPHONE = Band(True, True), Band(True, False), Band(False, False)

of_each_actor = pytest.mark.parametrize("actor", ACTORS)


@cache
def lines(actor: str) -> Samples:
    return dialogue(3, (actor,), 12).samples


def pieces(samples: Samples) -> Samples:
    return pieces_of(samples, [Span(at, at + 1.6) for at in np.arange(0.5, 10, 0.8).tolist()])


def loudness(samples: Samples, low: float, high: float) -> float:
    """Power from `low` to `high` Hz."""
    hertz = np.fft.rfftfreq(samples.shape[1], 1 / SAMPLE_RATE)
    return float((np.abs(np.fft.rfft(samples)) ** 2)[:, (hertz >= low) & (hertz < high)].sum())


@of_each_actor
def test_a_studios_voice_has_lows_and_highs(actor: str) -> None:
    assert band_of(pieces(lines(actor))) == WIDE


@of_each_actor
def test_a_call_has_neither(actor: str) -> None:
    assert band_of(pieces(called(lines(actor)))) == TELEPHONE


@of_each_actor
def test_a_call_with_noise_at_the_callers_has_neither(actor: str) -> None:
    assert band_of(pieces(called(with_noise(lines(actor))))) == TELEPHONE


@of_each_actor
def test_a_call_over_the_internet_at_8_kilohertz_has_lows(actor: str) -> None:
    assert band_of(pieces(in_8_kilohertz(lines(actor)))) == LOW


@of_each_actor
def test_a_voice_that_is_made_a_calls_is_one(actor: str) -> None:
    assert band_of(by_telephone(pieces(lines(actor)))) == TELEPHONE


def test_a_telephone_keeps_what_is_in_between() -> None:
    given = pieces(lines("nl/m"))
    found = by_telephone(given)
    assert loudness(found, 300, 3400) == pytest.approx(loudness(given, 300, 3400), rel=1e-4)
    assert loudness(found, 0, 299) + loudness(found, 3401, 8000) < 1e-6 * loudness(given, 300, 3400)


def test_silence_is_of_no_band_and_stays_silence() -> None:
    nothing = np.zeros((2, WINDOW_SAMPLES), np.float32)
    assert band_of(nothing) == TELEPHONE
    assert not by_telephone(nothing).any()


def test_how_loud_a_voice_is_does_not_matter() -> None:
    given = pieces(lines("cs/v"))
    assert band_of(given * np.float32(0.001 / LEVEL)) == band_of(given)
