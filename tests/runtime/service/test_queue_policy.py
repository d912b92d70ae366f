"""The queue is counted in seconds of audio, and its bounds follow from the speed and the request time-out."""

from __future__ import annotations

import math

import pytest

from whisper_runtime.service.queue_policy import deadline, longest_recording, queue_limit, queue_refusal


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


@pytest.mark.parametrize(("speed", "longest"), [(math.inf, 14400), (100, 14400), (10, 3000), (0.5, 150)])
def test_the_longest_recording_follows_from_the_speed_and_the_time_out(speed: float, longest: float) -> None:
    assert longest_recording(speed, request_timeout=300, max_audio=14400) == longest


@pytest.mark.parametrize(
    ("seconds", "queued", "speed", "allowed"),
    [(1, 0, 100, 30.04), (10, 50, 10, 54), (60, 0, 1, 270), (3000, 0, 10, 300)],
)
def test_the_deadline_follows_from_the_length_and_the_queue_up_to_the_time_out(
    seconds: float, queued: float, speed: float, allowed: float
) -> None:
    assert deadline(seconds, queued, speed, request_timeout=300) == pytest.approx(allowed)
