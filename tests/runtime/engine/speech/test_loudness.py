"""How much louder a recording is made."""

from __future__ import annotations

import numpy as np
import pytest

from whisper_runtime.engine.speech.loudness import LOUD_ENOUGH, MOST_GAIN, PIECE, detection_gain


@pytest.mark.parametrize(
    ("peak", "gain"),
    [(0.0, 1.0), (1.0, 1.0), (LOUD_ENOUGH, 1.0), (-0.05, 2.0), (0.002, 50.0), (0.0001, MOST_GAIN)],
)
def test_the_gain_brings_the_peak_of_a_quiet_recording_to_what_is_loud_enough(peak: float, gain: float) -> None:
    assert detection_gain(np.array([0.0, peak, 0.0], np.float32)) == pytest.approx(gain)


def test_one_loud_moment_anywhere_makes_the_recording_loud() -> None:
    samples = np.full(2 * PIECE + 5, 0.001, np.float32)
    samples[-1] = 0.5
    assert detection_gain(samples) == 1.0


def test_a_recording_without_samples_stays_as_it_is() -> None:
    assert detection_gain(np.zeros(0, np.float32)) == 1.0
