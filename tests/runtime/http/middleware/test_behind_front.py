"""Whose request it is that comes by a front: the client's, whose address the front tells, and nobody else may."""

from __future__ import annotations

import pytest
from starlette.types import Receive, Scope, Send

from whisper_runtime.http.middleware.behind_front import BehindFrontMiddleware

TOKEN = "a-token-of-sixteen-or-more"
FRONT = ("10.0.0.7", 40_000)
CLIENT = (b"x-forwarded-for", b"192.0.2.1")


async def seen(*headers: tuple[bytes, bytes]) -> Scope:
    """The request as the layers below see it."""
    found: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(scope)

    async def nothing(*_: object) -> None: ...

    scope = {"type": "http", "client": FRONT, "headers": [*headers, (b"host", b"speech")]}
    await BehindFrontMiddleware(app, TOKEN)(scope, nothing, nothing)  # pyright: ignore[reportArgumentType]
    return found[0]


async def test_a_front_tells_whose_request_it_is() -> None:
    scope = await seen(CLIENT, (b"x-whisper-front-token", TOKEN.encode()))
    assert scope["client"][0] == "192.0.2.1"


async def test_its_token_is_shown_to_nothing_below() -> None:
    scope = await seen(CLIENT, (b"x-whisper-front-token", TOKEN.encode()))
    assert scope["headers"] == [CLIENT, (b"host", b"speech")]


@pytest.mark.parametrize(
    "headers",
    [
        (CLIENT,),
        (CLIENT, (b"x-whisper-front-token", b"another")),
        (CLIENT, (b"x-whisper-front-token", b"")),
        (CLIENT, (b"x-whisper-front-token", TOKEN.encode()), (b"x-whisper-front-token", b"another")),
    ],
    ids=["no token", "another", "an empty one", "two"],
)
async def test_nobody_else_is_believed(headers: tuple[tuple[bytes, bytes], ...]) -> None:
    assert (await seen(*headers))["client"] == FRONT
