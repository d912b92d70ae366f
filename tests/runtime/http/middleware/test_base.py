"""Layers see HTTP requests only."""

from __future__ import annotations

import pytest
from starlette.types import Receive, Scope, Send

from whisper_runtime.http.middleware.base import HttpMiddleware


@pytest.mark.parametrize(("kind", "seen"), [("http", ["layer", "app"]), ("lifespan", ["app"]), ("websocket", ["app"])])
async def test_whatever_is_not_http_is_passed_on(kind: str, seen: list[str]) -> None:
    found: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append("app")

    class Layer(HttpMiddleware):
        async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
            found.append("layer")
            await self.app(scope, receive, send)

    async def receive() -> dict[str, str]:
        return {}

    async def send(_: object) -> None: ...

    await Layer(app)({"type": kind}, receive, send)
    assert found == seen
