"""Every limit is asked at the door, before the body is read, and again after decoding, when the length is known."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import pytest

from tests.fakes.engine import FakeEngine
from tests.runtime.conftest import Start, speech
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import State
from whisper_runtime.errors import HttpError
from whisper_runtime.service.admission import Admission
from whisper_runtime.service.lifecycle import Lifecycle, Phase


def admission(engine: FakeEngine, phase: Phase = Phase.SERVING, **config: Any) -> Admission:
    lifecycle = Lifecycle()
    lifecycle.phase = phase
    return Admission(RuntimeConfig(**config), engine, lifecycle)


def refusal(asked: Admission, client: str = "alice", body_bytes: int | None = 100) -> tuple[int, str, set[str]]:
    """Status, code and headers of the refusal at the door."""
    with pytest.raises(HttpError) as error:
        asked.at_the_door(client, body_bytes)
    return error.value.status_code, str(error.value.body["code"]), set(error.value.headers or {})


RATE = {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"}


@pytest.mark.parametrize(
    ("phase", "state", "queued", "body_bytes", "expected"),
    [
        (Phase.REFUSING, State.READY, 0, 100, (503, "shutting_down", {"Retry-After"})),
        (Phase.REFUSING, State.LOADING, 0, 100, (503, "shutting_down", {"Retry-After"})),
        (Phase.SERVING, State.LOADING, 0, 100, (503, "model_not_ready", {"Retry-After"})),
        (Phase.LEAVING, State.READY, 120, 100, (429, "queue_full", {"Retry-After"})),
        # From here on the client's rate has been asked, and the response says what is left.
        (Phase.SERVING, State.READY, 0, 1001, (413, "upload_too_large", RATE)),
        (Phase.SERVING, State.READY, 0, None, (503, "scratch_full", RATE | {"Retry-After"})),
    ],
)
def test_the_door_refuses_for_the_first_reason_of_all(
    engine: FakeEngine,
    phase: Phase,
    state: State,
    queued: float,
    body_bytes: int | None,
    expected: tuple[int, str, set[str]],
) -> None:
    """Given a disk on which another upload leaves less room than a chunked body may take."""
    engine.state, engine.queued_audio_seconds = state, queued
    limits = {"max_upload_bytes": 1000, "max_scratch_bytes": 1500, "max_queued_audio_seconds": 120}
    asked = admission(engine, phase, requests_per_minute=10, **limits)
    asked.disk.reserve(600)
    assert refusal(asked, body_bytes=body_bytes) == expected


def test_a_rate_that_is_used_up_is_found_at_the_door(engine: FakeEngine) -> None:
    asked = admission(engine, requests_per_minute=1)
    with asked.at_the_door("alice", 100):
        pass
    assert refusal(asked) == (429, "rate_limit_exceeded", RATE | {"Retry-After"})
    with asked.at_the_door("bob", 100):
        pass


def test_a_share_that_is_full_is_found_at_the_door(engine: FakeEngine) -> None:
    asked = admission(engine, max_queued_audio_seconds=100)
    with asked.at_the_door("bob", 100), asked.after_decoding("alice", 60):
        assert refusal(asked) == (429, "client_share_full", {"Retry-After"})


def test_a_request_that_the_server_could_not_take_is_not_counted(engine: FakeEngine) -> None:
    asked = admission(engine, requests_per_minute=1, max_queued_audio_seconds=10)
    engine.queued_audio_seconds = 10
    assert refusal(asked)[:2] == (429, "queue_full")
    engine.queued_audio_seconds = 0
    with asked.at_the_door("alice", 100):
        pass


@pytest.mark.parametrize(("body_bytes", "reserved"), [(100, 100), (0, 0), (None, 1000)])
def test_an_admitted_body_has_its_disk_until_its_response_is_over(
    engine: FakeEngine, body_bytes: int | None, reserved: int
) -> None:
    asked = admission(engine, max_upload_bytes=1000)
    with asked.at_the_door("alice", body_bytes):
        assert asked.disk.used == reserved
    assert asked.disk.used == 0


def test_no_body_may_be_larger_than_the_disk(engine: FakeEngine) -> None:
    assert refusal(admission(engine, max_scratch_bytes=500), body_bytes=501)[:2] == (413, "upload_too_large")


def test_after_decoding_a_recording_has_a_place_and_a_deadline(engine: FakeEngine) -> None:
    engine.queued_audio_seconds, engine.speed = 50, 10
    asked = admission(engine)
    with asked.after_decoding("alice", 10) as seconds:
        assert seconds == 54
        assert asked.shares.refusal("alice", 1, speed=10, limit=5) is not None
    assert asked.shares.refusal("alice", 1, speed=10, limit=5) is None


@pytest.mark.parametrize(("queued", "held", "code"), [(110, 0, "queue_full"), (40, 40, "client_share_full")])
def test_a_recording_that_is_too_long_for_its_place_is_refused_after_decoding_and_costs_nothing(
    engine: FakeEngine, queued: float, held: float, code: str
) -> None:
    """Its client will send it again, and would pay for each attempt."""
    engine.queued_audio_seconds = queued
    asked = admission(engine, max_queued_audio_seconds=120, audio_minutes_per_hour=10)
    asked.shares.note_request("bob")
    asked.shares.note_request("alice")
    with ExitStack() as stack:
        if held:
            stack.enter_context(asked.shares.hold("alice", held))
        with pytest.raises(HttpError) as error, asked.after_decoding("alice", 60):
            pass
    assert (error.value.status_code, error.value.body["code"]) == (429, code)
    assert asked.rates.headers("alice")["x-ratelimit-remaining-audio-seconds"] == "600"


def test_audio_that_has_its_place_is_counted(engine: FakeEngine) -> None:
    asked = admission(engine, audio_minutes_per_hour=10)
    with asked.after_decoding("alice", 60):
        assert asked.rates.headers("alice")["x-ratelimit-remaining-audio-seconds"] == "540"


def test_a_full_disk_costs_no_request(engine: FakeEngine) -> None:
    asked = admission(engine, requests_per_minute=5, max_upload_bytes=1000, max_scratch_bytes=1500)
    asked.disk.reserve(600)
    assert refusal(asked, body_bytes=None)[:2] == (503, "scratch_full")
    assert asked.rates.headers("alice")["x-ratelimit-remaining-requests"] == "5"


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
