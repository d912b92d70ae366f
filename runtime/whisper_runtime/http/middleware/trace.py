"""W3C Trace Context: a request's trace, as its client's `traceparent` says, for the log and for spans.

https://www.w3.org/TR/trace-context/
"""

from __future__ import annotations

from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whisper_runtime.http.middleware.access_log import PROBED, route_of
from whisper_runtime.http.middleware.base import HttpMiddleware
from whisper_runtime.logs import trace_id
from whisper_runtime.service import tracing
from whisper_runtime.service.tracing import RequestTrace, Tracing

PROPAGATOR: Final = TraceContextTextMapPropagator()
MAX_LENGTH: Final = 512
"""Characters of each of the two headers; the specification asks for no less of `tracestate`, and has 55 here."""


class TraceMiddleware(HttpMiddleware):
    """Gives each request the trace of its client, and its spans where they are wanted."""

    def __init__(self, app: ASGIApp, tracing: Tracing | None) -> None:
        """`tracing` is None where no spans are sent."""
        super().__init__(app)
        self.tracing = tracing

    async def on_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        parent = parent_of(Headers(scope=scope))
        if self.tracing is not None and scope["path"] not in PROBED:
            return await self._traced(self.tracing.begin(scope["method"], parent), scope, receive, send)
        token = trace_id.set(f"{parent.trace_id:032x}" if parent else None)
        try:
            await self.app(scope, receive, send)
        finally:
            trace_id.reset(token)

    async def _traced(self, trace: RequestTrace, scope: Scope, receive: Receive, send: Send) -> None:
        tokens = trace_id.set(trace.trace_id), tracing.current.set(trace)
        try:
            await self.app(scope, _until_received(receive, trace), send)
        finally:
            trace.end(route_of(scope))
            trace_id.reset(tokens[0])
            tracing.current.reset(tokens[1])


def parent_of(headers: Headers) -> SpanContext | None:
    """The client's span by `traceparent`; None where there is none, or it is invalid, and so is to be ignored.

    Of several, none counts: the specification has one, and nobody can say which one a proxy meant.
    """
    found, state = headers.getlist("traceparent"), ",".join(headers.getlist("tracestate"))
    if len(found) != 1 or len(found[0]) > MAX_LENGTH:
        return None
    carrier = {"traceparent": found[0]} | ({"tracestate": state} if 0 < len(state) <= MAX_LENGTH else {})
    span = get_current_span(PROPAGATOR.extract(carrier, Context())).get_span_context()
    return span if span.is_valid else None


def _until_received(receive: Receive, trace: RequestTrace) -> Receive:
    """Tells `trace` when the body has come to its end."""

    async def receiving() -> Message:
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            trace.received()
        return message

    return receiving
