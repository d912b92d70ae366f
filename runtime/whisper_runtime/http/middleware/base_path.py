"""The same routes below a prefix, for a proxy that routes by path and passes the path on as it is."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class BelowBasePath:
    """Takes the prefix off paths that have it; within the cluster clients ask without."""

    def __init__(self, app: ASGIApp, base_path: str) -> None:
        self.app = app
        self.base_path = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{self.base_path}/"):
            scope = {**scope, "path": scope["path"].removeprefix(self.base_path) or "/"}
        await self.app(scope, receive, send)
