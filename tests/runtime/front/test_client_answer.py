"""What a client is sent: an answer, or events, of which each is whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

from starlette.types import Message

from whisper_runtime.errors import ClientGone, HttpError
from whisper_runtime.front.client_answer import LONGEST_EVENT, ClientAnswer
from whisper_runtime.front.headers import RawHeaders
from whisper_runtime.front.server_client import ServerAnswer, ServerLost
from whisper_runtime.http.request_state import state_of

EVENTS = [(b"content-type", b"text/event-stream; charset=utf-8")]


class Client:
    def __init__(self) -> None:
        self.scope = {"type": "http", "client": ("192.0.2.1", 1)}
        self.messages: list[Message] = []
        self.answer = ClientAnswer(self.scope, self._receive, self._send)

    async def _receive(self) -> Message:
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return self.messages[0]["status"]

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.messages[1:])

    @property
    def ended(self) -> bool:
        return not self.messages[-1].get("more_body", False)


def answer(*parts: bytes | Exception, status: int = 200, headers: RawHeaders | None = None) -> ServerAnswer:
    async def rest() -> AsyncIterator[bytes]:
        for part in parts[1:]:
            if isinstance(part, Exception):
                raise part
            yield part

    first = parts[0] if parts else b""
    assert isinstance(first, bytes)
    return ServerAnswer(status, headers or [], first, rest())


async def test_an_answer_without_a_body_has_none() -> None:
    client = Client()
    await client.answer.pass_on(answer(status=204))
    assert (client.status, client.body, client.ended) == (204, b"", True)


async def test_each_part_is_sent_when_it_comes() -> None:
    client = Client()
    await client.answer.pass_on(answer(b"a", b"b", headers=EVENTS))
    assert [message["body"] for message in client.messages[1:]] == [b"a", b"b", b""]


async def test_an_answer_of_several_lines_is_one_event() -> None:
    client = Client()
    await client.answer.begin_events()
    await client.answer.pass_on(answer(b"{\n", b"}", status=500))
    assert client.body.endswith(b"data: {\ndata: }\n\n")


async def test_an_event_that_broke_off_is_ended_before_the_error() -> None:
    client = Client()
    await client.answer.begin_events()
    await client.answer.pass_on(answer(b"data: {}\n\n", b'data: {"ty', ServerLost("reset"), headers=EVENTS))
    *_, broken, last = client.body.decode().removesuffix("\n\n").split("\n\n")
    assert broken == 'data: {"ty'
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == "server_lost"


async def test_an_answer_too_long_for_an_event_is_an_error() -> None:
    client = Client()
    await client.answer.begin_events()
    await client.answer.pass_on(answer(b"x" * LONGEST_EVENT, b"x"))
    assert b"server_lost" in client.body


async def test_an_error_before_anything_has_its_status_and_one_after_it_is_noted() -> None:
    first, second = Client(), Client()
    await first.answer.refuse(HttpError(429, "later"))
    await second.answer.begin_events()
    await second.answer.refuse(HttpError(429, "later"))
    assert (first.status, second.status) == (429, 200)
    error = state_of(second.scope).stream_error
    assert error
    assert error.status_code == 429


async def test_nothing_is_sent_to_a_client_that_is_gone() -> None:
    client = Client()
    await client.answer.begin_events()
    sent = len(client.messages)
    await client.answer.refuse(ClientGone())
    assert len(client.messages) == sent
