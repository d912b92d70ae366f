"""Whose request it is that a front passes on: without keys clients are told apart by their addresses alone."""

from __future__ import annotations

import hmac
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from whisper_runtime.http.middleware.base import HttpMiddleware

FRONT_TOKEN_HEADER: Final = b"x-whisper-front-token"
CLIENT_HEADER: Final = b"x-forwarded-for"


class BehindFrontMiddleware(HttpMiddleware):
    """Takes the client's address from a front of the same service, which proves by the token that it is one."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        super().__init__(app)
        self._token = token.encode()

    async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope["headers"])
        if hmac.compare_digest(given.get(FRONT_TOKEN_HEADER, b""), self._token):
            address = given.get(CLIENT_HEADER, b"").decode("latin-1")
            headers = [(name, value) for name, value in scope["headers"] if name != FRONT_TOKEN_HEADER]
            scope = {**scope, "headers": headers, "client": (address, 0)}
        await self.app(scope, receive, send)
