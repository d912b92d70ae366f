"""What short clips, long files and nothing at all say of the speed."""

from __future__ import annotations

import math

import pytest

from whisper_runtime.engine.batching.throughput import FIRST, MEMORY_SECONDS, LongSpeed, Speed


def after(speed: Speed, *windows: float) -> float:
    """The speed once each window, of so many seconds of audio, took a second."""
    for seconds in windows:
        speed.worked(1.0)
        speed.heard(seconds)
    return speed.value


@pytest.mark.parametrize(
    ("windows", "measured", "long"),
    [
        ((), FIRST, math.inf),
        ((3.0,), 3.0, 30.0),
        ((30.0,), 30.0, 30.0),
        ((24.0,), 24.0, 24.0),  # a piece of a long file
        ((0.0,), FIRST, math.inf),  # to detect a language once more
    ],
)
def test_a_short_clip_costs_as_much_as_a_full_window(windows: tuple[float, ...], measured: float, long: float) -> None:
    assert (after(Speed(), *windows), after(LongSpeed(), *windows)) == (measured, long)


def test_what_is_further_back_counts_for_less() -> None:
    speed = Speed()
    after(speed, 30.0)
    for _ in range(int(MEMORY_SECONDS)):
        after(speed, 3.0)
    assert 3.0 < speed.value < (30.0 + 3.0 * MEMORY_SECONDS) / (1 + MEMORY_SECONDS)
