"""A body is bounded in its bytes and its pauses while it is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.runtime.conftest import Start, speech
from whisper_runtime.http.middleware.upload_limits import UploadLimitsMiddleware

FORM = {"content-type": "multipart/form-data; boundary=x"}


async def _chunks(count: int) -> AsyncIterator[bytes]:
    yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    for _ in range(count):
        yield b"." * 1000


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

    limited = UploadLimitsMiddleware(_forgiving(_swallow), max_bytes=1000, max_seconds=60, idle_seconds=0.01)
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
