"""A request that cannot be taken is refused before its body is read; one that is taken has its disk and its rates."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from tests.fakes.engine import SPOKEN, FakeEngine
from tests.fakes.parts import fake_parts
from tests.runtime.conftest import PartsOf, Start, speech
from whisper_runtime.engine.interface import State
from whisper_runtime.errors import HttpError
from whisper_runtime.http import early_response
from whisper_runtime.http.app import create_app
from whisper_runtime.http.middleware.admission import AdmissionMiddleware
from whisper_runtime.http.middleware.upload_limits import UploadLimitsMiddleware


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


async def test_a_request_that_the_server_could_not_take_is_not_counted(start: Start, engine: FakeEngine) -> None:
    engine.queued_audio_seconds = 10
    client = start(requests_per_minute=1, max_queued_audio_seconds=10)
    refused = await client.post("/transcribe", files=speech())
    assert refused.json()["error"]["code"] == "queue_full"
    assert not [name for name in refused.headers if name.startswith("x-ratelimit")]
    engine.queued_audio_seconds = 0
    assert (await client.post("/transcribe", files=speech())).status_code == 200


async def test_a_request_that_is_refused_after_decoding_costs_nothing(start: Start, engine: FakeEngine) -> None:
    """Its client was told to send it again, and does."""
    engine.queued_audio_seconds = 5
    client = start(requests_per_minute=1, audio_minutes_per_hour=1, max_queued_audio_seconds=10)
    refused = [await client.post("/transcribe", files=speech(8)) for _ in range(3)]
    assert [answer.json()["error"]["code"] for answer in refused] == ["queue_full"] * 3
    assert refused[-1].headers["x-ratelimit-remaining-requests"] == "1"
    assert refused[-1].headers["x-ratelimit-remaining-audio-seconds"] == "60"
    engine.queued_audio_seconds = 0
    assert (await client.post("/transcribe", files=speech(8))).status_code == 200


async def test_clients_are_told_apart_by_their_keys(start: Start, tmp_path: Path) -> None:
    for name in ("alice", "bob"):
        (tmp_path / name).write_text(f"key-of-{name}")
    client = start(requests_per_minute=1, api_keys_dir=str(tmp_path))

    async def status(name: str) -> int:
        answer = await client.post("/transcribe", files=speech(), headers={"X-API-Key": f"key-of-{name}"})
        return answer.status_code

    assert [await status(name) for name in ("alice", "alice", "bob")] == [200, 429, 200]


async def test_429_comes_before_the_body_is_read(parts_of: PartsOf) -> None:
    parts = parts_of(requests_per_minute=1)
    await parts.admission.rates.charge_request("address 192.0.2.7")
    events: list[str] = []

    async def receive() -> Message:
        events.append("read")
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        events.append(f"{message['type']} {message.get('status', '')}".strip())

    scope = {"type": "http", "method": "POST", "path": "/transcribe", "headers": [], "client": ("192.0.2.7", 1)}
    await create_app(parts)(scope, receive, send)
    assert events[:2] == ["http.response.start 429", "http.response.body"]


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


async def test_too_large_by_its_length(start: Start) -> None:
    client = start(max_upload_bytes=1000)
    answer = await client.post("/transcribe", files={"file": ("a.wav", b"." * 1001)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "upload_too_large")
    assert "1000 bytes" in answer.json()["error"]["message"]
    assert (await client.post("/transcribe", files=speech())).status_code == 200


@pytest.mark.parametrize(("size", "status"), [(1000, 405), (1001, 413)])
async def test_a_body_by_another_method_is_held_to_its_bounds_and_counts_as_no_work(
    start: Start, engine: FakeEngine, size: int, status: int
) -> None:
    engine.state = State.LOADING
    answer = await start(max_upload_bytes=1000, requests_per_minute=1).put("/transcribe", content=b"." * size)
    assert answer.status_code == status
    assert not [name for name in answer.headers if name.startswith("x-ratelimit")]


async def test_all_uploads_together_have_a_bound(engine: FakeEngine) -> None:
    release, waiting = asyncio.Event(), asyncio.Semaphore(0)

    async def held(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(HttpError):  # as FastAPI does, whose response is then replaced
            while (await receive()).get("more_body"):
                pass
            waiting.release()
            await release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    admission = fake_parts(engine, max_scratch_bytes=3500, max_upload_bytes=1000).admission
    app = AdmissionMiddleware(UploadLimitsMiddleware(held, max_bytes=1000, max_seconds=60), admission)

    async def upload(address: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://whisper") as client:
            return await client.post("/", content=b"." * 1000)

    async with asyncio.TaskGroup() as group:
        uploads = [group.create_task(upload(f"192.0.2.{number}")) for number in range(3)]
        for _ in uploads:
            await waiting.acquire()
        refused = await upload("192.0.2.9")
        release.set()
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "scratch_full")
    assert refused.headers["retry-after"] == "1"
    assert [upload.result().status_code for upload in uploads] == [200] * 3
    assert admission.disk.used == 0


async def test_decoded_audio_counts_for_as_long_as_its_request(
    start: Start, parts_of: PartsOf, engine: FakeEngine
) -> None:
    engine.answer = None
    parts = parts_of(max_scratch_bytes=2_000_000, max_upload_bytes=1000, max_audio_seconds=20)
    client = start(parts)
    request = asyncio.create_task(client.post("/transcribe", files=speech(20)))
    await engine.until_submitted()
    assert parts.admission.disk.used > 20 * 16_000 * 4
    refused = await client.post("/transcribe", files=speech(15))
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "client_scratch_full")
    engine.held[0].set_result(SPOKEN)
    assert (await request).status_code == 200
    assert parts.admission.disk.used == 0


async def test_a_large_body_that_is_refused_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a server that takes more than what is dropped of any body."""
    monkeypatch.setattr(early_response, "LINGER_BYTES", 10)
    parts = fake_parts(FakeEngine(State.FAILED), max_upload_bytes=1000)
    body: list[Message] = [{"type": "http.request", "body": b"." * 100, "more_body": more} for more in (True, False)]

    async def receive() -> Message:
        return body.pop(0)

    async def send(message: Message) -> None: ...

    door = AdmissionMiddleware(_no_route, parts.admission)
    headers: list[tuple[bytes, bytes]] = []
    await door({"type": "http", "method": "POST", "path": "/transcribe", "headers": headers}, receive, send)
    assert body == []


async def _no_route(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("it was admitted")
