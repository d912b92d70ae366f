"""The queue is counted in seconds of audio, and its bounds follow from the speed and the request time-out."""

from __future__ import annotations

import math

import pytest

from whisper_runtime.service.queue_policy import (
    file_speed,
    longest_recording,
    queue_limit,
    queue_refusal,
    too_long,
    too_slow,
)


@pytest.mark.parametrize(
    ("queued", "seconds", "taken"),
    [
        (0, 10, True),
        (0, 5000, True),  # an empty queue takes any file, or long ones would never get in
        (1000, 800, True),
        (1000, 801, False),
        (1800, 0, False),
    ],
)
def test_the_queue_is_counted_in_seconds_of_audio(queued: float, seconds: float, taken: bool) -> None:
    assert (queue_refusal(queued, seconds, speed=10, limit=1800) is None) == taken


@pytest.mark.parametrize(
    ("configured", "speed", "timeout", "limit"),
    [(1800, 100, 300, 1800), (1800, 2, 300, 300), (1800, 0.5, 300, 75)],
)
def test_no_more_may_wait_than_half_of_the_time_out_works_off(
    configured: float, speed: float, timeout: float, limit: float
) -> None:
    assert queue_limit(configured, speed, timeout) == limit


@pytest.mark.parametrize(
    ("queued", "seconds", "taken"), [(100, 50, True), (100, 51, False), (149, 1, True), (150, 0, False)]
)
def test_who_has_a_place_since_the_door_is_refused_only_where_the_queue_runs_over(
    queued: float, seconds: float, taken: bool
) -> None:
    """It has been uploaded and decoded by then, and may have turned out longer than its size let expect."""
    assert (queue_refusal(queued, seconds, speed=10, limit=120, overrun=1.25) is None) == taken


@pytest.mark.parametrize(
    ("row_speed", "rows", "wait", "speed"),
    [
        (math.inf, 1, 10, math.inf),
        (6, 1, 0, 6),
        (6, 4, 0, 24),  # its windows are decoded side by side
        (6, 1, 5, 3),  # 5 s of work for a window, and 5 s until its row is free
    ],
)
def test_a_file_has_the_speed_of_its_rows_less_what_its_windows_wait(
    row_speed: float, rows: int, wait: float, speed: float
) -> None:
    assert file_speed(row_speed, rows, wait) == pytest.approx(speed)


@pytest.mark.parametrize(
    ("speed", "wait", "longest"),
    [(math.inf, 500, 14400), (100, 0, 14400), (10, 0, 3000), (10, 100, 2000), (0.5, 0, 150), (10, 500, 0)],
)
def test_the_longest_recording_is_what_its_rows_can_do_within_the_time_out(
    speed: float, wait: float, longest: float
) -> None:
    assert longest_recording(speed, wait, request_timeout=300, max_audio=14400) == longest


def test_what_is_never_taken_is_413_and_what_is_taken_at_another_time_is_503_with_retry_after() -> None:
    never, now = too_long(3600), too_slow(600, 300)
    assert (never.status_code, never.body["code"]) == (413, "audio_too_long")
    assert (now.status_code, now.body["code"], now.headers) == (503, "audio_too_long_now", {"Retry-After": "60"})
