"""The servers' routes read the body that the front has, and leave nothing in the request that is the front's."""

from __future__ import annotations

from typing import Final

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope

from whisper_runtime.front.own_answer import own_answer
from whisper_runtime.front.spool import SpooledBody, spooled_body
from whisper_runtime.http.request_state import state_of

SCOPE: Final[Scope] = {"type": "http", "method": "POST", "path": "/", "headers": [], "client": ("192.0.2.1", 1)}


class Routes:
    """Answers with the body that it has read, or with nothing."""

    def __init__(self, *, knows: bool) -> None:
        self._knows = knows

    async def answer(self, scope: Scope, receive: Receive) -> Response | None:
        body = await Request(scope, receive).body()
        state_of(scope).file_digest = "noted"
        return PlainTextResponse(body) if self._knows else None


async def filled(body: SpooledBody, content: bytes) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    await body.receive(receive, lambda _: None)


@pytest.mark.parametrize("content", [b"", b"speech", b"x" * 1_000_000], ids=len)
async def test_the_whole_body_is_read_and_the_answer_is_theirs(content: bytes) -> None:
    with spooled_body(None) as body:
        await filled(body, content)
        start, answer = await own_answer(Routes(knows=True).answer, SCOPE, body)
    assert (start["status"], answer["body"]) == (200, content)


async def test_without_an_answer_the_body_is_there_for_a_server() -> None:
    with spooled_body(None) as body:
        await filled(body, b"speech")
        assert await own_answer(Routes(knows=False).answer, SCOPE, body) == []
        assert b"".join([piece async for piece in body.pieces()]) == b"speech"


async def test_what_the_routes_note_is_not_the_fronts() -> None:
    scope = {**SCOPE, "state": {}}
    with spooled_body(None) as body:
        await own_answer(Routes(knows=True).answer, scope, body)
    assert state_of(scope).file_digest is None
