"""`stream`: text while it is transcribed, as OpenAI's server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Message

from tests.fakes.engine import MULTILINGUAL, SEGMENT, SPOKEN, FakeEngine
from tests.runtime.conftest import PartsOf, Start, speech
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.http import sse
from whisper_runtime.http.app import create_app
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.http.sse import SseText
from whisper_runtime.service.model_info import ServedModel

PATH = "/v1/audio/transcriptions"
FIELDS = {"model": "base", "stream": "true"}
MODEL = ServedModel(RuntimeConfig(model="base"), MULTILINGUAL).info
ONE = replace(SEGMENT, text=" Ask not")
TWO = replace(SEGMENT, id=1, text=" what your country.")
BOTH = replace(SPOKEN, text=ONE.text + TWO.text, segments=(ONE, TWO))


def usage(text: int) -> dict[str, Any]:
    """Of 2.5 s of audio, and of as many tokens of text."""
    return {"type": "tokens", "input_tokens": 125, "output_tokens": text, "total_tokens": 125 + text}


class Exchange:
    """One request whose answer is looked at while it is being sent."""

    def __init__(self, app: ASGIApp, **fields: str) -> None:
        self._app = app
        self._request = httpx.Request("POST", "http://whisper" + PATH, files=speech(), data=FIELDS | fields)
        self._messages: asyncio.Queue[Message] = asyncio.Queue()
        self._messages.put_nowait({"type": "http.request", "body": self._request.read()})
        self._changed = asyncio.Event()
        self.status: int | None = None
        self.body = b""
        self.registry = CollectorRegistry()

    def counted(self, status: int) -> float | None:
        """Requests that the metrics count under `status`."""
        return self.registry.get_sample_value("whisper_requests_total", {"route": PATH, "status": str(status)})

    def failed(self, code: str) -> float | None:
        return self.registry.get_sample_value("whisper_errors_total", {"cause": code})

    def start(self) -> asyncio.Task[None]:
        headers = [(name.lower(), value) for name, value in self._request.headers.raw]
        scope = {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "headers": headers}
        return asyncio.create_task(self._run(scope))

    async def _run(self, scope: dict[str, Any]) -> None:
        await self._app(scope, self._messages.get, self._send)

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        self.body += message.get("body", b"")
        self._changed.set()

    def hang_up(self) -> None:
        for _ in range(2):  # for each that listens
            self._messages.put_nowait({"type": "http.disconnect"})

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    @property
    def events(self) -> list[dict[str, Any]]:
        return events(self.body.decode())


def events(body: str) -> list[dict[str, Any]]:
    lines = [line for line in body.split("\n\n") if line and not line.startswith(":")]
    assert all(line.startswith("data: ") for line in lines)
    return [json.loads(line.removeprefix("data: ")) for line in lines]


@pytest.fixture
def exchange(parts_of: PartsOf) -> Callable[..., Exchange]:
    def of(fields: dict[str, str] | None = None, **config: Any) -> Exchange:
        parts = parts_of(**config)
        seen = Exchange(create_app(parts), **(fields or {}))
        seen.registry = parts.metrics.registry
        return seen

    return of


async def test_each_window_is_a_delta_and_the_last_event_has_the_whole_text(start: Start, engine: FakeEngine) -> None:
    engine.answer = BOTH
    answer = await start().post(PATH, files=speech(), data=FIELDS)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["x-accel-buffering"] == "no"
    assert events(answer.text) == [
        {"type": "transcript.text.delta", "delta": "Ask not"},
        {"type": "transcript.text.delta", "delta": " what your country."},
        {"type": "transcript.text.done", "text": "Ask not what your country.", "usage": usage(10)},
    ]


async def test_log_probabilities_come_with_each_event(start: Start, engine: FakeEngine) -> None:
    engine.answer = BOTH
    answer = await start().post(PATH, files=speech(), data=FIELDS | {"include[]": "logprobs"})
    one, two, done = events(answer.text)
    assert [entry["token"] for entry in one["logprobs"]] == [" Ask", " not", "."]
    assert done["logprobs"] == one["logprobs"] + two["logprobs"]


async def test_silence_is_an_empty_text(start: Start, engine: FakeEngine) -> None:
    engine.answer = replace(SPOKEN, text="", segments=(replace(SEGMENT, text="", tokens=(), token_logprobs=()),))
    answer = await start().post(PATH, files=speech(), data=FIELDS)
    assert events(answer.text) == [{"type": "transcript.text.done", "text": "", "usage": usage(0)}]


async def test_text_is_sent_before_the_rest_is_done(exchange: Callable[..., Exchange], engine: FakeEngine) -> None:
    engine.answer = None
    seen = exchange()
    running = seen.start()
    await engine.until_submitted()
    engine.emit(ONE)
    await seen.until(lambda: seen.events)
    assert [event["delta"] for event in seen.events] == ["Ask not"]
    assert not engine.held[0].done()

    engine.emit(TWO)
    engine.held[0].set_result(BOTH)
    await running
    assert seen.events[-1]["text"] == "Ask not what your country."
    assert (seen.counted(200), seen.counted(499)) == (1, None)


async def test_while_there_is_no_text_comments_keep_the_connection(
    exchange: Callable[..., Exchange], engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "KEEP_ALIVE_SECONDS", 0.001)
    engine.answer = None
    seen = exchange()
    running = seen.start()
    await seen.until(lambda: seen.body.startswith(b": waiting\n\n: waiting\n\n"))
    engine.held[0].set_result(SPOKEN)
    await running
    assert seen.events[-1]["text"] == "Ask not."


@pytest.mark.parametrize(
    ("content", "queued", "status", "code"),
    [(b"<html>", 0, 400, "not_audio"), (b"", 0, 400, "empty_file"), (b"speech 60", 100, 429, "queue_full")],
)
async def test_what_goes_wrong_before_the_queue_is_an_ordinary_answer(
    start: Start, engine: FakeEngine, content: bytes, queued: float, status: int, code: str
) -> None:
    engine.queued_audio_seconds = queued
    client = start(max_queued_audio_seconds=120)
    answer = await client.post(PATH, files={"file": ("a.wav", content)}, data=FIELDS)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_a_bug_in_the_middle_is_an_event_with_an_error(
    exchange: Callable[..., Exchange], engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.answer = None
    seen = exchange()
    running = seen.start()
    await engine.until_submitted()
    engine.emit(ONE)
    await seen.until(lambda: seen.events)
    engine.held[0].set_exception(RuntimeError("tensor a (6) must match b (3)"))
    await running
    assert [*seen.events[-1]["error"]] == ["message", "type", "param", "code"]
    assert seen.events[-1]["error"]["code"] == "internal_error"
    assert b"tensor" not in seen.body
    assert "tensor a (6)" in caplog.text
    assert (seen.counted(500), seen.counted(200), seen.failed("internal_error")) == (1, None, 1)


async def test_no_text_in_time_is_an_event_with_an_error(exchange: Callable[..., Exchange], engine: FakeEngine) -> None:
    engine.answer = None
    seen = exchange(request_timeout_seconds=1)
    await seen.start()
    assert seen.status == 200
    assert seen.events == [
        {
            "error": {
                "message": "The transcription was not done within 1 s: send a shorter recording, or try again later.",
                "type": "server_error",
                "param": None,
                "code": "request_timeout",
            }
        }
    ]
    assert engine.held[0].cancelled()
    assert (seen.counted(504), seen.counted(200), seen.failed("request_timeout")) == (1, None, 1)


async def test_a_client_that_hangs_up_frees_its_place(
    exchange: Callable[..., Exchange], engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.answer = None
    seen = exchange()
    running = seen.start()
    await engine.until_submitted()
    engine.emit(ONE)
    await seen.until(lambda: seen.events)
    seen.hang_up()
    await running
    await engine.until_cancelled()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert (seen.counted(499), seen.counted(200), seen.failed("client_closed_request")) == (1, None, 1)


async def test_a_bug_while_events_are_written_breaks_the_answer_and_is_counted(
    exchange: Callable[..., Exchange], engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(SseText, "ending", broken)
    seen = exchange()
    with pytest.raises(ZeroDivisionError):
        await seen.start()
    assert (seen.status, seen.counted(500), seen.failed("internal_error")) == (200, 1, 1)


@given(st.lists(st.text(alphabet=" \nab日")))
def test_all_deltas_together_are_the_text(texts: list[str]) -> None:
    text_so_far = SseText(ResponseSpec("transcribe"), MODEL)
    segments = [replace(SEGMENT, text=text) for text in texts]
    deltas = [delta.delta for segment in segments if (delta := text_so_far.more([segment]))]
    assert "" not in deltas
    found = replace(SPOKEN, text="".join(texts), segments=tuple(segments))
    assert "".join(deltas) == text_so_far.ending(found)[-1].text
