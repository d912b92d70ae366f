"""The throughput after short clips, long files, and nothing at all."""

from __future__ import annotations

import math

import pytest

from whisper_runtime.engine.batching.throughput import (
    INITIAL,
    MEMORY_SECONDS,
    LongFileThroughput,
    Throughput,
    ThroughputMeter,
)


def after(throughput: Throughput, *windows: float) -> float:
    """The throughput once each window, of so many seconds of audio, took a second."""
    for seconds in windows:
        throughput.add_busy(1.0)
        throughput.add_audio(seconds)
    return throughput.value


@pytest.mark.parametrize(
    ("windows", "measured", "long"),
    [
        ((), INITIAL, math.inf),
        ((3.0,), 3.0, 30.0),
        ((30.0,), 30.0, 30.0),
        ((24.0,), 24.0, 24.0),  # a chunk of a long file
        ((0.0,), INITIAL, math.inf),  # a repeat, to detect a language once more
    ],
)
def test_a_short_clip_costs_as_much_as_a_full_window(windows: tuple[float, ...], measured: float, long: float) -> None:
    assert (after(Throughput(), *windows), after(LongFileThroughput(), *windows)) == (measured, long)


def test_work_that_is_further_back_counts_for_less() -> None:
    throughput = Throughput()
    after(throughput, 30.0)
    for _ in range(int(MEMORY_SECONDS)):
        after(throughput, 3.0)
    assert 3.0 < throughput.value < (30.0 + 3.0 * MEMORY_SECONDS) / (1 + MEMORY_SECONDS)


def test_only_the_throughput_of_long_files_is_forgotten() -> None:
    meter = ThroughputMeter()
    meter.add_busy(1.0)
    meter.add_audio(3.0)
    assert (meter.speed, meter.long_speed) == (3.0, 30.0)
    meter.forget_long_files()
    assert (meter.speed, meter.long_speed) == (3.0, math.inf)
