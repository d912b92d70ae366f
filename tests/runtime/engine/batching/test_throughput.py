"""The throughput after short clips, long files, and nothing at all."""

from __future__ import annotations

import math

import pytest

from whisper_runtime.engine.batching.throughput import (
    INITIAL,
    MEMORY_SECONDS,
    RowThroughput,
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
    ("windows", "measured", "row"),
    [
        ((), INITIAL, math.inf),
        ((3.0,), 3.0, 30.0),
        ((30.0,), 30.0, 30.0),
        ((24.0,), 24.0, 24.0),  # a chunk of a long file
        ((0.0,), INITIAL, math.inf),  # a repeat, to detect a language once more
    ],
)
def test_a_short_clip_costs_as_much_as_a_full_window(windows: tuple[float, ...], measured: float, row: float) -> None:
    one = RowThroughput()
    for seconds in windows:
        one.add_window(seconds, 1.0)
    assert (after(Throughput(), *windows), one.value) == (measured, row)


def test_a_row_gets_its_part_of_what_all_rows_get() -> None:
    """Given eight rows whose windows all take four seconds, side by side."""
    meter = ThroughputMeter()
    meter.add_busy(4.0)
    for _ in range(8):
        meter.add_window(30.0, 4.0)
    assert (meter.speed, meter.row_speed) == pytest.approx((60.0, 7.5))


def test_one_window_that_fell_back_six_times_does_not_decide_alone() -> None:
    meter = ThroughputMeter()
    for _ in range(20):
        meter.add_window(30.0, 3.0)
    meter.add_window(30.0, 30.0)
    assert meter.row_speed > 5


def test_work_that_is_further_back_counts_for_less() -> None:
    throughput = Throughput()
    after(throughput, 30.0)
    for _ in range(int(MEMORY_SECONDS)):
        after(throughput, 3.0)
    assert 3.0 < throughput.value < (30.0 + 3.0 * MEMORY_SECONDS) / (1 + MEMORY_SECONDS)


def test_only_the_throughput_of_a_row_is_forgotten() -> None:
    meter = ThroughputMeter()
    meter.add_busy(1.0)
    meter.add_window(3.0, 1.0)
    assert (meter.speed, meter.row_speed) == (3.0, 30.0)
    meter.forget_rows()
    assert (meter.speed, meter.row_speed) == (3.0, math.inf)
