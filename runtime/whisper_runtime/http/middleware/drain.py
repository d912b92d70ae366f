"""The end of kept-alive connections while the process drains."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whisper_runtime.http.middleware.base import HttpMiddleware
from whisper_runtime.service.lifecycle import Lifecycle, Phase


class DrainMiddleware(HttpMiddleware):
    """Adds `Connection: close` to each response while the process leaves, so that clients connect elsewhere."""

    def __init__(self, app: ASGIApp, lifecycle: Lifecycle) -> None:
        super().__init__(app)
        self.lifecycle = lifecycle

    async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        leaving = self.lifecycle.phase is not Phase.SERVING
        await self.app(scope, receive, closing if leaving else send)
