"""The same routes at the path of Groq's API, whose clients put `/openai/v1` behind the address that they are given."""

from __future__ import annotations

from typing import Final

from starlette.types import Receive, Scope, Send

from whisper_runtime.http.middleware.base import HttpMiddleware
from whisper_runtime.http.request_state import state_of

PREFIX: Final = "/openai"
CLIENTS_ROUTES: Final = f"{PREFIX}/v1/"


class GroqPathMiddleware(HttpMiddleware):
    """Removes the prefix from the paths of clients' routes, and notes that the answer is to have Groq's shape."""

    async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(CLIENTS_ROUTES):
            state_of(scope).is_groqs = True
            scope = {**scope, "path": scope["path"].removeprefix(PREFIX)}
        await self.app(scope, receive, send)
