"""Bounds on uploads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.fakes.engine import SPOKEN, FakeEngine
from tests.runtime.conftest import ServingOf, Start, speech
from whisper_runtime.http.middleware.upload_limits import LimitUploads
from whisper_runtime.service.disk_quota import Scratch

FORM = {"content-type": "multipart/form-data; boundary=x"}


async def _chunks(count: int) -> AsyncIterator[bytes]:
    yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    for _ in range(count):
        yield b"." * 1000


async def test_too_large_by_its_length(start: Start) -> None:
    client = start(max_upload_bytes=1000)
    answer = await client.post("/transcribe", files={"file": ("a.wav", b"." * 1001)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "upload_too_large")
    assert "1000 bytes" in answer.json()["error"]["message"]
    assert (await client.post("/transcribe", files=speech())).status_code == 200


async def test_too_large_without_saying_so_beforehand(start: Start) -> None:
    client = start(max_upload_bytes=5000)
    answer = await client.post("/transcribe", content=_chunks(10), headers=FORM)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "upload_too_large")
    assert answer.headers["connection"] == "close"
    assert (await client.post("/transcribe", files=speech())).status_code == 200


async def test_a_long_text_field_is_refused(start: Start) -> None:
    answer = await start().post("/transcribe", files=speech(), data={"language": "x" * 100_000})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "field_too_long")
    assert "longer than 64 KiB" in answer.json()["error"]["message"]


async def _swallow(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that reads the whole body."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})


async def test_a_body_that_stops_coming_is_refused() -> None:
    async def stalling() -> AsyncIterator[bytes]:
        yield b"."
        await asyncio.Event().wait()

    limited = LimitUploads(_forgiving(_swallow), Scratch(9000), max_bytes=1000, max_seconds=60, idle_seconds=0.01)
    sent: list[Message] = []
    body = stalling()

    async def receive() -> Message:
        if sent:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": await anext(body), "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    await limited({"type": "http", "method": "POST", "headers": []}, receive, send)
    assert sent[0]["status"] == 408


def _forgiving(app: ASGIApp) -> ASGIApp:
    """As FastAPI is: an exception while reading becomes an answer of its own, which must not reach the client."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except Exception:
            await send({"type": "http.response.start", "status": 400, "headers": []})
            await send({"type": "http.response.body"})

    return wrapped


async def test_all_uploads_together_have_a_bound() -> None:
    release, waiting = asyncio.Event(), asyncio.Semaphore(0)

    async def held(scope: Scope, receive: Receive, send: Send) -> None:
        waiting.release()
        await release.wait()
        await _swallow(scope, receive, send)

    scratch = Scratch(3500)
    transport = httpx.ASGITransport(app=LimitUploads(held, scratch, max_bytes=1000, max_seconds=60))
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://whisper") as client,
        asyncio.TaskGroup() as group,
    ):
        uploads = [group.create_task(client.post("/", content=b"." * 1000)) for _ in range(3)]
        for _ in uploads:
            await waiting.acquire()
        refused = await client.post("/", content=b"." * 1000)
        release.set()
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "scratch_full")
    assert refused.headers["retry-after"] == "1"
    assert [upload.result().status_code for upload in uploads] == [200] * 3
    assert scratch.used == 0


async def test_decoded_audio_counts_for_as_long_as_its_request(
    start: Start, serving_of: ServingOf, engine: FakeEngine
) -> None:
    engine.answer = None
    serving = serving_of(max_scratch_bytes=2_000_000, max_upload_bytes=1000, max_audio_seconds=20)
    client = start(serving)
    request = asyncio.create_task(client.post("/transcribe", files=speech(20)))
    await engine.until_submitted()
    assert serving.scratch.used > 20 * 16_000 * 4
    assert (await client.post("/transcribe", files=speech(30))).status_code == 503  # the longest might not fit
    engine.held[0].set_result(SPOKEN)
    assert (await request).status_code == 200
    assert serving.scratch.used == 0
