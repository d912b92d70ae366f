"""A transcription ends as soon as its client hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from starlette.types import Message

from tests.fakes.engine import FakeEngine
from tests.runtime.conftest import PartsOf
from whisper_runtime.http.app import create_app

FORM = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nspeech\r\n--x--\r\n'


async def test_a_client_that_hangs_up_frees_its_place(parts_of: PartsOf, engine: FakeEngine) -> None:
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
    request = asyncio.create_task(create_app(parts_of())(scope, receive, send))
    await engine.until_submitted()
    hung_up.set()
    async with asyncio.timeout(10):
        await request
    assert engine.held[0].cancelled()
    assert sent[0]["status"] == 499
