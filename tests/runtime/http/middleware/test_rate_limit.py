"""Requests in a minute, and audio in an hour, for each client."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.types import Message

from tests.runtime.conftest import ServingOf, Start, speech
from whisper_runtime.http.app import create_app
from whisper_runtime.http.middleware.rate_limit import MAX_CLIENTS, Allowance, Rates
from whisper_runtime.service.client_identity import client_of, site


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_an_allowance_fills_up_steadily(clock: Clock) -> None:
    allowance = Allowance(10, 60, clock)
    for _ in range(10):
        allowance.take("alice", 1)
    assert allowance.left("alice") == 0
    assert allowance.seconds_until("alice", 1) == pytest.approx(6)
    clock.now += 6
    assert allowance.left("alice") == pytest.approx(1)
    clock.now += 3600
    assert allowance.left("alice") == 10
    assert allowance.left("bob") == 10


def test_the_number_of_clients_that_are_remembered_is_bounded(clock: Clock) -> None:
    allowance = Allowance(10, 60, clock)
    for number in range(MAX_CLIENTS + 1):
        allowance.take(str(number), 5)
    assert allowance.left("0") == 10  # forgotten
    assert allowance.left("1") == 5


def test_the_last_recording_may_take_more_than_is_left_and_the_next_waits_for_it(clock: Clock) -> None:
    rates = Rates(None, 10, clock)
    rates.heard("alice", 599)
    assert rates.refusal("alice") is None
    rates.heard("alice", 300)
    error = rates.refusal("alice")
    assert error is not None
    assert (error.status_code, error.body["code"]) == (429, "audio_exhausted")
    assert error.headers == {"Retry-After": str(300 * 6)}
    clock.now += 300 * 6
    assert rates.refusal("alice") is None


async def test_more_requests_than_allowed_are_429_and_every_answer_says_what_is_left(start: Start) -> None:
    client = start(requests_per_minute=2, audio_minutes_per_hour=1)
    first, second, third = [await client.post("/transcribe", files=speech(10)) for _ in range(3)]
    assert [answer.status_code for answer in (first, second, third)] == [200, 200, 429]
    assert first.headers["x-ratelimit-limit-requests"] == "2"
    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in (first, second, third)] == ["1", "0", "0"]
    assert first.headers["x-ratelimit-reset-requests"] == "30s"
    assert first.headers["x-ratelimit-limit-audio-seconds"] == "60"
    assert first.headers["x-ratelimit-remaining-audio-seconds"] == "50"
    assert first.headers["x-ratelimit-reset-audio-seconds"] == "600s"
    assert third.json()["error"]["code"] == "rate_limit_exceeded"
    assert third.json()["error"]["type"] == "rate_limit_error"
    assert third.headers["retry-after"] == "30"


async def test_without_limits_there_are_no_such_headers(start: Start) -> None:
    answer = await start().post("/transcribe", files=speech())
    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]


async def test_looking_at_the_models_costs_nothing(start: Start) -> None:
    client = start(requests_per_minute=1)
    assert [(await client.get("/v1/models")).status_code for _ in range(3)] == [200] * 3


async def test_a_request_that_the_server_could_not_take_is_not_counted(start: Start, serving_of: ServingOf) -> None:
    serving = serving_of(requests_per_minute=1, max_queued_audio_seconds=10)
    serving.engine.queued_audio_seconds = 10  # type: ignore[misc]
    client = start(serving)
    assert (await client.post("/transcribe", files=speech())).json()["error"]["code"] == "queue_full"
    serving.engine.queued_audio_seconds = 0  # type: ignore[misc]
    assert (await client.post("/transcribe", files=speech())).status_code == 200


async def test_clients_are_told_apart_by_their_keys(start: Start, tmp_path: Path) -> None:
    for name in ("alice", "bob"):
        (tmp_path / name).write_text(f"key-of-{name}")
    client = start(requests_per_minute=1, api_keys_dir=str(tmp_path))

    async def status(name: str) -> int:
        answer = await client.post("/transcribe", files=speech(), headers={"X-API-Key": f"key-of-{name}"})
        return answer.status_code

    assert [await status(name) for name in ("alice", "alice", "bob")] == [200, 429, 200]


async def test_429_comes_before_the_body_is_read(serving_of: ServingOf) -> None:
    serving = serving_of(requests_per_minute=1)
    serving.rates.asked("address 192.0.2.7")
    events: list[str] = []

    async def receive() -> Message:
        events.append("read")
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        events.append(f"{message['type']} {message.get('status', '')}".strip())

    scope = {"type": "http", "method": "POST", "path": "/transcribe", "headers": [], "client": ("192.0.2.7", 1)}
    await create_app(serving)(scope, receive, send)
    assert events[:2] == ["http.response.start 429", "http.response.body"]


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
def test_addresses_of_one_site_are_one_client(host: str, client: str) -> None:
    assert site(host) == client


def test_a_name_is_never_taken_for_an_address() -> None:
    by_key, by_address = {"state": {"client": "key 192.0.2.7"}}, {"client": ("192.0.2.7", 1)}
    assert client_of(by_key) != client_of(by_address)
