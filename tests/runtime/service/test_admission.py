"""Who may come in, and what the others are told."""

from __future__ import annotations

import math

import pytest

from tests.fakes.engine import FakeEngine
from tests.runtime.conftest import ServingOf, Start, speech
from whisper_runtime.engine.interface import State
from whisper_runtime.http.early_response import retry_after
from whisper_runtime.service.admission import Saturation, deadline, longest_now, queue_full, queue_limit
from whisper_runtime.service.lifecycle import Phase
from whisper_runtime.service.state import Serving


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
    assert (queue_full(queued, seconds, speed=10, limit=1800) is None) == taken


@pytest.mark.parametrize(
    ("excess", "speed", "seconds"), [(0, 10, 1), (5, 10, 1), (300, 10, 30), (300, 0.5, 120), (3600, 1, 120)]
)
def test_retry_after_follows_the_measured_speed(excess: float, speed: float, seconds: int) -> None:
    assert retry_after(excess, speed) == seconds


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
    assert longest_now(speed, request_timeout=300, max_audio=14400) == longest


@pytest.mark.parametrize(
    ("seconds", "queued", "speed", "allowed"),
    [(1, 0, 100, 30.04), (10, 50, 10, 54), (60, 0, 1, 270), (3000, 0, 10, 300)],
)
def test_the_deadline_follows_from_the_length_and_the_queue_up_to_the_time_out(
    seconds: float, queued: float, speed: float, allowed: float
) -> None:
    assert deadline(seconds, queued, speed, request_timeout=300) == pytest.approx(allowed)


def test_saturation_ends_only_when_half_of_the_queue_is_empty() -> None:
    saturation = Saturation()
    seen: list[bool] = []
    for queued in (0, 80, 90, 70, 50, 49, 80):
        saturation.observe(queued, 100)
        seen.append(saturation.full)
    assert seen == [False, False, True, True, True, False, False]


async def test_a_saturated_pod_is_not_ready_but_healthy(start: Start, serving_of: ServingOf) -> None:
    serving = serving_of()
    client = start(serving, probes=True)
    serving.saturation.observe(queued=serving.queue_limit, limit=serving.queue_limit)
    answer = await client.get("/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "saturated"})
    assert (await client.get("/health")).status_code == 200
    serving.saturation.observe(queued=0, limit=serving.queue_limit)
    assert (await client.get("/ready")).status_code == 200


async def test_what_takes_longer_than_the_time_out_is_413_naming_the_longest(start: Start, engine: FakeEngine) -> None:
    engine.speed, engine.long_speed = 1, 2
    client = start(request_timeout_seconds=30)
    answer = await client.post("/transcribe", files=speech(61))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "audio_too_long")
    assert "longer than 60 s" in answer.json()["error"]["message"]
    assert "within 30 s at the present speed" in answer.json()["error"]["message"]
    assert (await client.post("/transcribe", files=speech(60))).status_code == 200


async def test_a_full_queue_is_429_with_retry_after(start: Start, engine: FakeEngine) -> None:
    engine.queued_audio_seconds, engine.speed = 100.0, 2.0
    answer = await start(max_queued_audio_seconds=120).post("/transcribe", files=speech(60))
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "queue_full")
    assert answer.headers["retry-after"] == "20"


async def test_a_queue_that_is_full_already_is_found_at_the_door(start: Start, engine: FakeEngine) -> None:
    engine.queued_audio_seconds = 120
    answer = await start(max_queued_audio_seconds=120).post("/transcribe", content=b"never read")
    assert answer.status_code == 429
    assert answer.headers["connection"] == "close"


async def test_while_the_model_loads_work_is_refused_and_reading_is_not(start: Start, engine: FakeEngine) -> None:
    engine.state = State.LOADING
    client = start()
    answer = await client.post("/transcribe", files=speech())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_not_ready")
    assert answer.headers["retry-after"] == "5"
    assert (await client.get("/v1/models")).status_code == 200


@pytest.mark.parametrize(
    ("phase", "status", "connection"),
    [(Phase.SERVING, 200, None), (Phase.LEAVING, 200, "close"), (Phase.REFUSING, 503, "close")],
)
async def test_a_process_that_leaves(
    start: Start, serving_of: ServingOf, phase: Phase, status: int, connection: str | None
) -> None:
    serving: Serving = serving_of()
    serving.lifecycle.phase = phase
    answer = await start(serving).post("/transcribe", files=speech())
    assert (answer.status_code, answer.headers.get("connection")) == (status, connection)
    assert ("retry-after" in answer.headers) == (status == 503)
