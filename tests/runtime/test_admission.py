"""Who may come in, and what the others are told."""

from __future__ import annotations

import pytest

from tests.runtime.conftest import ServingOf, Start, speech
from tests.runtime.fake_engine import FakeEngine
from whisper_runtime.admission import queue_full, retry_after
from whisper_runtime.engine.protocol import State
from whisper_runtime.lifecycle import Phase
from whisper_runtime.serving import Serving


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


async def test_a_full_queue_is_429_with_retry_after(start: Start, engine: FakeEngine) -> None:
    engine.queued_audio_seconds, engine.speed = 100, 2
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
