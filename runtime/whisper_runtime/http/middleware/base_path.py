"""The same routes below a prefix, for a proxy that routes by path and passes the path on unchanged."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from whisper_runtime.http.middleware.base import HttpMiddleware


class BasePathMiddleware(HttpMiddleware):
    """Removes the prefix from paths that have it; clients within the cluster use paths without it."""

    def __init__(self, app: ASGIApp, base_path: str) -> None:
        super().__init__(app)
        self.base_path = base_path

    async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if f"{scope['path']}/".startswith(f"{self.base_path}/"):
            scope = {**scope, "path": scope["path"].removeprefix(self.base_path) or "/"}
        await self.app(scope, receive, send)
