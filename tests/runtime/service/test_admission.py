"""Every limit is asked at the door, before the body is read, and again after decoding, when the length is known."""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import Any

import pytest

from tests.fakes.engine import FakeEngine
from tests.runtime.conftest import Start, speech
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import State
from whisper_runtime.errors import HttpError
from whisper_runtime.service import disk_quota
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
    ],
)
def test_the_door_refuses_for_the_first_reason_of_all_and_charges_nothing(
    engine: FakeEngine,
    phase: Phase,
    state: State,
    queued: float,
    body_bytes: int | None,
    expected: tuple[int, str, set[str]],
) -> None:
    engine.state, engine.queued_audio_seconds = state, queued
    limits = {"max_upload_bytes": 1000, "max_queued_audio_seconds": 120}
    asked = admission(engine, phase, requests_per_minute=10, **limits)
    assert refusal(asked, body_bytes=body_bytes) == expected
    assert asked.rates.headers("alice")["x-ratelimit-remaining-requests"] == "10"
    assert asked.shares.coming() == (0, 0)


async def test_a_rate_that_is_used_up_is_found_at_the_door(engine: FakeEngine) -> None:
    asked = admission(engine, requests_per_minute=1)
    with asked.at_the_door("alice", 100) as first:
        await first.charge_request()
    with pytest.raises(HttpError) as error, asked.at_the_door("alice", 100) as second:
        await second.charge_request()
    assert (error.value.status_code, error.value.body["code"]) == (429, "rate_limit_exceeded")
    assert set(error.value.headers or {}) == RATE | {"Retry-After"}
    assert asked.rates.headers("alice")["x-ratelimit-remaining-requests"] == "0"
    with asked.at_the_door("bob", 100) as other:
        await other.charge_request()


@pytest.mark.parametrize(("status", "left"), [(200, 9), (400, 9), (413, 9), (429, 10), (500, 10), (503, 10), (504, 10)])
async def test_what_was_refused_or_failed_here_costs_nothing(engine: FakeEngine, status: int, left: int) -> None:
    asked = admission(engine, requests_per_minute=10, audio_minutes_per_hour=10)
    with asked.at_the_door("alice", 100) as request, asked.after_decoding(request, 60):
        await request.charge_request()
        assert request.headers["x-ratelimit-remaining-audio-seconds"] == "540"
        for _ in range(2):
            request.answer(status)
    headers = asked.rates.headers("alice")
    assert headers["x-ratelimit-remaining-requests"] == str(left)
    assert headers["x-ratelimit-remaining-audio-seconds"] == str(540 if left == 9 else 600)


async def test_a_bug_costs_nothing(engine: FakeEngine) -> None:
    asked = admission(engine, requests_per_minute=10)
    request = asked.at_the_door("alice", 100)
    await request.charge_request()
    with pytest.raises(RuntimeError), request:
        raise RuntimeError("a bug")
    assert asked.rates.headers("alice")["x-ratelimit-remaining-requests"] == "10"


def test_a_share_that_is_full_is_found_at_the_door(engine: FakeEngine) -> None:
    asked = admission(engine, max_queued_audio_seconds=100)
    asked.shares.note_request("bob")
    with asked.at_the_door("alice", 100) as request, asked.after_decoding(request, 60):
        assert refusal(asked) == (429, "client_share_full", {"Retry-After"})


def test_places_are_taken_at_the_door_while_uploads_come(engine: FakeEngine) -> None:
    """Given uploads of 20 s of audio each, by their lengths, in a queue of 60 s behind a full batch."""
    asked = admission(engine, max_queued_audio_seconds=60)
    with ExitStack() as uploads:
        for _ in range(3):
            uploads.enter_context(asked.at_the_door("alice", 320_000)).receive(64_000, is_last=False)
        assert refusal(asked, body_bytes=320_000)[:2] == (429, "queue_full")
    asked.at_the_door("alice", 320_000)


def test_nobody_is_refused_while_rows_are_free(engine: FakeEngine) -> None:
    """Given two free rows in a server whose queue is full by every measure."""
    engine.free_rows, engine.queued_audio_seconds = 2, 10_000
    asked = admission(engine, max_queued_audio_seconds=60)
    with asked.at_the_door("alice", 100) as first, asked.at_the_door("alice", 100) as second:
        for request in (first, second):
            request.receive(100, is_last=True)
        assert refusal(asked)[:2] == (429, "queue_full")
        with asked.after_decoding(first, 10_000):
            engine.free_rows = 1
            with asked.after_decoding(second, 10_000):
                pass


def test_a_long_recording_in_work_leaves_the_door_open(engine: FakeEngine) -> None:
    """Given ten minutes of audio in one row of eight, behind a queue of one minute."""
    engine.free_rows = 8
    asked = admission(engine, max_queued_audio_seconds=60)
    with asked.at_the_door("alice", 100) as long, asked.after_decoding(long, 600):
        long.place.begin()
        engine.free_rows = 7
        assert asked.saturation == 0
        with ExitStack() as clips:
            for _ in range(7):
                clips.enter_context(asked.at_the_door("alice", 100)).receive(100, is_last=True)
            engine.free_rows = 0  # and when all rows are busy, what has begun still does not wait
            clips.enter_context(asked.at_the_door("alice", 100))


def test_idle_uploads_take_neither_disk_nor_places(engine: FakeEngine) -> None:
    """Given sixty that announce 100 MB each and send the first lines of a form, of one client, before a full batch."""
    asked = admission(engine, max_queued_audio_seconds=60)
    with ExitStack() as idle:
        for _ in range(60):
            idle.enter_context(asked.at_the_door("alice", 100_000_000)).receive(200, is_last=False)
        assert asked.disk.used <= 60 * disk_quota.STEP
        with asked.at_the_door("alice", 320_000):
            pass


@pytest.mark.parametrize(("body_bytes", "reserved"), [(100, 100), (1000, 300), (None, 300)])
def test_a_body_has_the_disk_for_what_has_come_until_its_response_is_over(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, body_bytes: int | None, reserved: int
) -> None:
    monkeypatch.setattr(disk_quota, "STEP", 300)
    asked = admission(engine, max_upload_bytes=1000)
    with asked.at_the_door("alice", body_bytes) as request:
        assert asked.disk.used == 0
        request.receive(60, is_last=False)
        assert asked.disk.used == reserved
    assert asked.disk.used == 0


def test_a_disk_that_fills_up_while_a_body_comes_is_503(engine: FakeEngine) -> None:
    asked = admission(engine, max_upload_bytes=1000, max_scratch_bytes=1500)
    asked.disk.reservation("bob").set(600)
    with asked.at_the_door("alice", None) as request:
        request.receive(900, is_last=False)
        with pytest.raises(HttpError) as error:
            request.receive(100, is_last=True)
    assert (error.value.status_code, error.value.body["code"]) == (503, "scratch_full")


def test_no_body_may_be_larger_than_the_disk(engine: FakeEngine) -> None:
    assert refusal(admission(engine, max_scratch_bytes=500), body_bytes=501)[:2] == (413, "upload_too_large")


def test_after_decoding_a_recording_has_its_length(engine: FakeEngine) -> None:
    asked = admission(engine)
    with asked.at_the_door("alice", 100) as request:
        with asked.after_decoding(request, 10):
            assert request.place.waiting_seconds(0) == 10
            assert asked.shares.oldest_wait > 0
        assert asked.shares.oldest_wait == 0


@pytest.mark.parametrize(("queued", "held", "code"), [(110, 0, "queue_full"), (40, 40, "client_share_full")])
def test_a_recording_that_is_too_long_for_its_place_is_refused_after_decoding_and_costs_nothing(
    engine: FakeEngine, queued: float, held: float, code: str
) -> None:
    """Its client will send it again, and would pay for each attempt."""
    asked = admission(engine, max_queued_audio_seconds=120, audio_minutes_per_hour=10)
    asked.shares.note_request("bob")
    with ExitStack() as stack:
        if held:
            other = stack.enter_context(asked.at_the_door("alice", 100))
            stack.enter_context(asked.after_decoding(other, held))
        request = stack.enter_context(asked.at_the_door("alice", 100))
        engine.queued_audio_seconds = queued
        with pytest.raises(HttpError) as error, asked.after_decoding(request, 60):
            pass
        request.answer(429)
    assert (error.value.status_code, error.value.body["code"]) == (429, code)
    assert asked.rates.headers("alice")["x-ratelimit-remaining-audio-seconds"] == str(600 - held)


async def test_what_one_row_cannot_do_in_time_is_503_naming_the_longest(start: Start, engine: FakeEngine) -> None:
    """Whatever all rows together can do. It is no fault of the recording: a while later, it is taken."""
    engine.speed, engine.row_speed = 16, 2
    client = start(request_timeout_seconds=30)
    answer = await client.post("/transcribe", files=speech(61))
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "audio_too_long_now")
    assert (answer.headers["retry-after"], answer.headers.get("x-should-retry")) == ("60", None)
    assert "longer than 60 s" in answer.json()["error"]["message"]
    assert "within 30 s at the present speed" in answer.json()["error"]["message"]
    assert (await client.post("/transcribe", files=speech(60))).status_code == 200


@pytest.mark.parametrize("row_speed", [2, math.inf])
async def test_what_is_never_taken_is_413_at_any_speed(start: Start, engine: FakeEngine, row_speed: float) -> None:
    engine.row_speed = row_speed
    client = start(request_timeout_seconds=30, max_audio_seconds=100)
    answer = await client.post("/transcribe", files=speech(101))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "audio_too_long")
    assert "longer than 100 s" in answer.json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"


async def test_a_file_whose_windows_do_not_depend_on_each_other_has_the_free_rows(
    start: Start, engine: FakeEngine
) -> None:
    engine.speed, engine.row_speed, engine.free_rows = 16, 2, 4
    client = start(request_timeout_seconds=30, condition_on_previous_text=False)
    assert (await client.post("/transcribe", files=speech(240))).status_code == 200
    engine.free_rows = 0
    assert (await client.post("/transcribe", files=speech(61))).status_code == 503


async def test_a_full_queue_is_429_with_retry_after(start: Start, engine: FakeEngine) -> None:
    engine.queued_audio_seconds, engine.speed = 100.0, 2.0
    answer = await start(max_queued_audio_seconds=120).post("/transcribe", files=speech(60))
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "queue_full")
    assert answer.headers["retry-after"] == "20"
