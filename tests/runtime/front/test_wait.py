"""Who would wait in vain is refused at once, with the time after which it is worth another try."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_runtime.contract.front import WakeForecast
from whisper_runtime.front.wait import WaitAhead, refusal, seconds_until_room


def refused(
    audio: float = 0.0, speed: float = 0.0, left: float = 300.0, **forecast: Any
) -> tuple[int, str | None, str] | None:
    """Status, code and Retry-After of the refusal."""
    error = refusal(WaitAhead(audio, speed, WakeForecast(**forecast), left))
    return error and (error.status_code, error.body["code"], (error.headers or {})["Retry-After"])


@pytest.mark.parametrize(
    "forecast",
    [
        {},
        {"audio_speed": 0.1},
        {"expected_seconds": 300.0},
        {"expected_seconds": 200.0, "audio_speed": 10.0},
        {"expected_seconds": 200.0},
    ],
)
def test_a_request_is_held_where_a_server_comes_in_time_or_nobody_knows(forecast: dict[str, float]) -> None:
    assert refused(audio=1000.0, **forecast) is None


@pytest.mark.parametrize(
    ("forecast", "left", "again"),
    [
        ({"expected_seconds": 40.5}, 40.0, "41"),
        ({"expected_seconds": 4000.0}, 300.0, "120"),
        ({"expected_seconds": 10.0, "audio_speed": 10.0}, 100.0, "110"),
        ({"expected_seconds": 0.2}, 0.1, "1"),
    ],
)
def test_it_is_refused_where_it_would_wait_for_longer_than_it_may(
    forecast: dict[str, float], left: float, again: str
) -> None:
    assert refused(audio=1000.0, left=left, **forecast) == (503, "no_server_in_time", again)


def test_why_no_server_can_come_is_said_in_the_words_of_who_knows() -> None:
    why = "No node has a GPU that is free: ask the cluster's administrators."
    assert refused(cannot_come=why, expected_seconds=1.0) == (503, "no_server_can_come", "60")
    error = refusal(WaitAhead(0.0, 0.0, WakeForecast(cannot_come=why), 300.0))
    assert error
    assert error.body["message"] == why


def test_with_a_server_what_waits_before_it_is_what_counts() -> None:
    """Half of the time is for waiting: of 300 s at 10 s of audio a second, 1500 s of audio."""
    assert refused(audio=1500.0, speed=10.0, cannot_come="It was so.") is None
    assert refused(audio=1700.0, speed=10.0) == (429, "queue_full", "20")


@pytest.mark.parametrize(
    ("speed", "forecast", "again"),
    [
        (10.0, {}, 60),
        (0.0, {"audio_speed": 20.0, "expected_seconds": 15.0}, 45),
        (0.0, {"expected_seconds": 15.0}, 45),
        (0.0, {}, 30),
        (1.0, {}, 120),
    ],
)
def test_a_full_disk_has_room_when_the_audio_on_it_is_done(
    speed: float, forecast: dict[str, float], again: int
) -> None:
    assert seconds_until_room(WaitAhead(600.0, speed, WakeForecast(**forecast), left=0.0)) == again
