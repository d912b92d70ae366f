"""A request ends when its client or its time does, and gives its place in the queue back."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import IO

import pytest
from starlette.types import Message

from tests.fakes.engine import FakeEngine, fake_decode
from tests.runtime.conftest import ServingOf, Start, speech
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import OutOfMemory, Samples
from whisper_runtime.http.app import create_app
from whisper_runtime.service.state import Serving

FORM = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nspeech\r\n--x--\r\n'


async def test_no_answer_in_time_is_504_and_not_repeated(start: Start, engine: FakeEngine) -> None:
    engine.answer = None
    answer = await start(request_timeout_seconds=1).post("/transcribe", files=speech())
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "request_timeout")
    assert answer.headers["x-should-retry"] == "false"
    assert [future.cancelled() for future in engine.held] == [True]


async def test_a_client_that_hangs_up_frees_its_place(serving_of: ServingOf, engine: FakeEngine) -> None:
    engine.answer = None
    hung_up = asyncio.Event()
    messages: Iterator[Message] = iter([{"type": "http.request", "body": FORM}])
    sent: list[Message] = []

    async def receive() -> Message:
        for message in messages:
            return message
        await hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    scope = {"type": "http", "method": "POST", "path": "/transcribe", "query_string": b"", "headers": headers}
    serving = serving_of()
    request = asyncio.create_task(create_app(serving)(scope, receive, send))
    async with asyncio.timeout(10):
        await engine.until_submitted()
        hung_up.set()
        await request
    assert engine.held[0].cancelled()
    assert sent[0]["status"] == 499


async def test_the_engine_stopping_is_503(start: Start, engine: FakeEngine) -> None:
    engine.answer = None
    request = asyncio.create_task(start().post("/transcribe", files=speech()))
    async with asyncio.timeout(10):
        await engine.until_submitted()
        engine.held[0].cancel()
        answer = await request
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "shutting_down")


async def test_a_device_without_memory_is_503_and_worth_a_retry(start: Start, engine: FakeEngine) -> None:
    engine.answer = OutOfMemory()
    answer = await start().post("/transcribe", files=speech())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "out_of_memory")
    assert answer.headers["retry-after"] == "10"
    assert "x-should-retry" not in answer.headers


async def test_health_answers_while_a_file_is_transcribed(start: Start, engine: FakeEngine) -> None:
    engine.answer = None
    client = start()
    request = asyncio.create_task(client.post("/transcribe", files=speech()))
    async with asyncio.timeout(10):
        await engine.until_submitted()
        assert (await client.get("/health")).status_code == 200
        engine.held[0].cancel()
        await request


@pytest.mark.parametrize(("ends", "status"), [(None, 504), (OutOfMemory(), 503)])
async def test_a_recording_without_answer_leaves_the_disk_at_once(
    start: Start, engine: FakeEngine, ends: Exception | None, status: int
) -> None:
    """And not when Python next collects garbage: hours of samples lie on it, which nobody counts any more."""
    decoded: list[weakref.ref[Samples]] = []

    async def decode(media: IO[bytes], *, max_seconds: float, timeout: float) -> Samples:
        samples = await fake_decode(media, max_seconds=max_seconds, timeout=timeout)
        decoded.append(weakref.ref(samples))
        return samples

    engine.answer = ends
    config = RuntimeConfig(model="base", request_timeout_seconds=1)
    gc.disable()
    try:
        answer = await start(Serving(config, engine, decode)).post("/transcribe", files=speech())
        assert (answer.status_code, decoded[0]()) == (status, None)
    finally:
        gc.enable()
