"""Around all layers that refuse: a request's id, its line in the log, its count, and the response to a bug."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from contextlib import AbstractContextManager
from random import getrandbits
from typing import Final, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whisper_runtime.contract.network import BALANCER_PATH, HEALTH_PATH, METRICS_PATH, READY_PATH, STARTUP_PATH
from whisper_runtime.errors import error_response, internal_error, stopped
from whisper_runtime.http.middleware.base import HttpMiddleware
from whisper_runtime.http.request_state import state_of
from whisper_runtime.logs import request_id
from whisper_runtime.service import tracing

log = logging.getLogger(__name__)

MOST_OF_A_METHOD: Final = 32
"""Characters that are logged; a client may send 64 KiB of them."""
SANE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
PROBED: Final = frozenset({HEALTH_PATH, STARTUP_PATH, READY_PATH, METRICS_PATH, BALANCER_PATH})
"""Requested every few seconds and by no client, so logged for debugging only, and not counted."""


class RequestCounts(Protocol):
    """What counts requests, for Prometheus."""

    def in_flight(self, *, is_counted: bool) -> AbstractContextManager[None]:
        """Counts a request that is here for as long as the block takes, unless it is a probe."""
        ...

    def answered(self, route: str, status: int, cause: str | None) -> None:
        """Counts a request by its route's template and its status; `cause`: the code of its error, if it has one."""
        ...


class AccessLogMiddleware(HttpMiddleware):
    def __init__(self, app: ASGIApp, metrics: RequestCounts) -> None:
        super().__init__(app)
        self.metrics = metrics

    async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        current = id_of(Headers(scope=scope).get("x-request-id", ""))
        token = request_id.set(current)
        response = _ObservedResponse(send, current)
        try:
            with self.metrics.in_flight(is_counted=scope["path"] not in PROBED):
                await self._respond(scope, receive, response)
        finally:
            self._note(scope, response, time.perf_counter() - started)
            request_id.reset(token)

    async def _respond(self, scope: Scope, receive: Receive, response: _ObservedResponse) -> None:
        try:
            await self.app(scope, receive, response.send)
        except Exception:
            log.exception("unexpected error")
            if response.status is not None:
                state_of(scope).stream_error = internal_error()
                raise  # the response has begun: only breaking the connection tells the client
            await error_response(internal_error())(scope, receive, response.send)
        except asyncio.CancelledError:
            # By the server, which ends: nothing else cancels a request's task. It would answer 500 itself.
            if response.status is not None:
                raise
            await error_response(stopped())(scope, receive, response.send)

    def _note(self, scope: Scope, response: _ObservedResponse, seconds: float) -> None:
        error = state_of(scope).stream_error
        shown, cause = (error.status_code, error.body["code"]) if error else (response.status or 499, response.cause)
        level = logging.DEBUG if scope["path"] in PROBED else logging.INFO
        method = scope["method"][:MOST_OF_A_METHOD]
        log.log(level, "%s %s %d in %.3f s", method, _printable(scope["path"]), shown, seconds)
        if trace := tracing.current.get():
            trace.answered(shown, cause)
        if scope["path"] not in PROBED:
            self.metrics.answered(route_of(scope), shown, cause)


class _ObservedResponse:
    """A response on its way out; `status` is None until it has begun, `cause` is the code of its error."""

    def __init__(self, send: Send, current: str) -> None:
        self._send = send
        self._request_id = current
        self.status: int | None = None
        self.cause: str | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["x-request-id"] = self._request_id
        elif self.cause is None and self.status is not None and self.status >= 400:
            self.cause = cause_of(message.get("body", b""))
        await self._send(message)


def id_of(header: str) -> str:
    """The client's own id where it is sane, else a new one, which need not be hard to guess."""
    return header if SANE_ID.fullmatch(header) else f"{getrandbits(128):032x}"


def cause_of(body: bytes) -> str | None:
    """The code in an error of OpenAI's shape; None where `body` is none, or has none."""
    try:
        code = json.loads(body)["error"]["code"]
    except (ValueError, TypeError, KeyError):
        return None
    return code if isinstance(code, str) else None


def route_of(scope: Scope) -> str:
    """The route's template, so that the number of label values stays bounded; `none` where no route matched."""
    return str(getattr(scope.get("route"), "path_format", "none"))


def _printable(path: str) -> str:
    return path[:200].encode("unicode_escape").decode()
