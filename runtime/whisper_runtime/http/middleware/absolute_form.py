"""Requests that name the whole URL, as to a proxy: a server must take them, too (RFC 9112, section 3.2.2)."""

from __future__ import annotations

import re
from typing import Final

from starlette.types import Receive, Scope, Send

from whisper_runtime.http.middleware.base import HttpMiddleware

ORIGIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/]*")
"""Scheme and authority; uvicorn leaves them in the path."""


class AbsoluteFormMiddleware(HttpMiddleware):
    """Leaves the path of such a URL, which is what the other layers expect."""

    async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if origin := ORIGIN.match(scope["path"]):
            scope = {**scope, "path": scope["path"][origin.end() :] or "/"}
        await self.app(scope, receive, send)
