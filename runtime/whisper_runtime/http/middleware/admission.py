"""Asks Admission at the door, before the request's body is read."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whisper_runtime.errors import HttpError
from whisper_runtime.http.early_response import refuse
from whisper_runtime.http.middleware.base import HttpMiddleware
from whisper_runtime.http.request_state import state_of
from whisper_runtime.service.admission import Admission
from whisper_runtime.service.rate_limits import RateLimits

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""They read, and are always admitted (RFC 9110, section 9.2.1)."""
NOT_TAKEN: Final = frozenset({429, 503})
"""The server had no room after all, or cannot go on: the client has to send its request again."""


class AdmissionMiddleware(HttpMiddleware):
    """Refuses work that cannot be taken, and holds the disk for a body until its response is over.

    Work comes by POST. A body that comes by any other method is only held to its bounds, for no route takes it.
    """

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        super().__init__(app)
        self.admission = admission

    async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in SAFE_METHODS:
            return await self.app(scope, receive, send)
        is_work, client, size = scope["method"] == "POST", state_of(scope).client, declared_bytes(scope)
        try:
            body = self.admission.at_the_door(client, size) if is_work else self.admission.upload(size)
        except HttpError as error:
            return await refuse(error, scope, receive, send)
        with body:
            await self.app(scope, receive, _with_rates(send, self.admission.rates, client) if is_work else send)


def declared_bytes(scope: Scope) -> int | None:
    """The length of the body that the client declares; None: a chunked body."""
    declared = Headers(scope=scope).get("content-length", "")
    return int(declared) if declared.isdecimal() else None


def _with_rates(send: Send, rates: RateLimits, client: str) -> Send:
    """Adds the client's limits to the response, after taking back the request where it was not taken."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] in NOT_TAKEN:
                rates.return_request(client)
            MutableHeaders(scope=message).update(rates.headers(client))
        await send(message)

    return sending
