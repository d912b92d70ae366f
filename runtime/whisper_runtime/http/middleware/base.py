"""The guard that all layers share: they see HTTP requests only."""

from __future__ import annotations

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send


class HttpMiddleware:
    """Hands HTTP requests to `on_http`, and passes on whatever else a server may send (lifespan, WebSocket)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        handle = self.on_http if scope["type"] == "http" else self.app
        return handle(scope, receive, send)

    async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers the request, or passes it on to `self.app`."""
        raise NotImplementedError
