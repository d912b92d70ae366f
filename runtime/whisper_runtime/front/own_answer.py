"""The answer of the servers' own routes to a request whose body the front has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace

from starlette.responses import Response
from starlette.types import Message, Receive, Scope

from whisper_runtime.front.spool import SpooledBody
from whisper_runtime.http.request_state import KEY, state_of

RouteAnswer = Callable[[Scope, Receive], Awaitable[Response | None]]
"""As FrontRoutes.answer."""


async def own_answer(route_answer: RouteAnswer, scope: Scope, body: SpooledBody) -> list[Message]:
    """The answer as ASGI has it; empty: a server is to have the request."""
    found = list[Message]()

    async def send(message: Message) -> None:
        found.append(message)

    scope, receive = _for_routes(scope), _receiving(body)
    if (response := await route_answer(scope, receive)) is not None:
        await response(scope, receive, send)
    return found


def _for_routes(scope: Scope) -> Scope:
    """The scope for routes of their own: what they note in it is not the front's."""
    return {**scope, "state": {KEY: replace(state_of(scope))}}


def _receiving(body: SpooledBody) -> Receive:
    """The body as ASGI has it; then the client is there until the application has ended."""
    messages = _messages(body)

    async def receive() -> Message:
        return await anext(messages, None) or await asyncio.Future[Message]()

    return receive


async def _messages(body: SpooledBody) -> AsyncGenerator[Message]:
    async for piece in body.pieces():
        yield {"type": "http.request", "body": piece, "more_body": True}
    yield {"type": "http.request", "body": b"", "more_body": False}
