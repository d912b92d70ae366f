"""Spans of requests, sent by OTLP where OTEL_EXPORTER_OTLP_ENDPOINT names a collector; no text, name or key is in them.

FastAPI's own spans stay off (http/app.py): they hold the client's path and query. The SDK and its exporter are imported
only where they are wanted, for that takes longer than importing FastAPI.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, StatusCode, Tracer, set_span_in_context

from whisper_runtime.contract import otlp

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

    from whisper_runtime.metrics.engine import EngineMetrics

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
"""Any other one is a client's own text."""
SERVICE_NAME: Final = "whisper-runtime"
MAX_STAGES: Final = 256
"""Spans within that of a request. A recording of four hours has four times as many; what is left out is counted."""

SpanAttributes = Mapping[str, str | int | float]


class RequestTrace:
    """The span of one request, and those of its stages; `stage` may be called from any thread."""

    def __init__(self, tracer: Tracer, parent: SpanContext | None, method: str) -> None:
        """`parent` is the client's span; None: the request begins a trace of its own."""
        self._tracer = tracer
        self._epoch = time.time_ns() - time.perf_counter_ns()
        self.started = time.perf_counter()
        self._method = method if method in METHODS else "_OTHER"
        self._span = tracer.start_span(
            self._method,
            set_span_in_context(NonRecordingSpan(parent)) if parent else None,
            SpanKind.SERVER,
            attributes={"http.request.method": self._method},
            start_time=self._nanoseconds(self.started),
        )
        self._within = set_span_in_context(self._span)
        self._stages = 0
        self._is_received = False
        self.text_at: float | None = None
        """When the transcription was done, by time.perf_counter; None: it is not."""

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits."""
        return f"{self._span.get_span_context().trace_id:032x}"

    @property
    def traceparent(self) -> str:
        """The header that makes another program's span a part of this one (W3C Trace Context)."""
        context = self._span.get_span_context()
        return f"00-{self.trace_id}-{context.span_id:016x}-{context.trace_flags:02x}"

    def stage(self, name: str, started: float, ended: float) -> None:
        """Adds the span of a stage; both times are by time.perf_counter."""
        self._stages += 1
        if self._stages <= MAX_STAGES:
            span = self._tracer.start_span(name, self._within, start_time=self._nanoseconds(started))
            span.end(self._nanoseconds(ended))

    def received(self) -> None:
        """Notes that the request has come to its end; only the first time counts."""
        if not self._is_received:
            self._is_received = True
            self.stage("receive", self.started, time.perf_counter())

    def describe(self, attributes: SpanAttributes) -> None:
        """Adds `attributes` to the request's span."""
        self._span.set_attributes(dict(attributes))

    def answered(self, status: int, cause: str | None) -> None:
        """Describes the response: its status, and the code of its error, if it has one.

        https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server-span
        """
        self.describe({"http.response.status_code": status})
        if cause is not None:
            self.describe({"error.type": cause})
        if status >= 500:
            self._span.set_status(StatusCode.ERROR)

    def end(self, route: str) -> None:
        """Ends the request's span; `route` is the template of its path."""
        now = time.perf_counter()
        if self.text_at is not None:
            self.stage("render", self.text_at, now)
        if self._stages > MAX_STAGES:
            self.describe({"whisper.stages_left_out": self._stages - MAX_STAGES})
        self.describe({"http.route": route})
        self._span.update_name(f"{self._method} {route}")
        self._span.end(self._nanoseconds(now))

    def _nanoseconds(self, moment: float) -> int:
        return int(moment * 1e9) + self._epoch


current: Final[ContextVar[RequestTrace | None]] = ContextVar("trace", default=None)
"""The trace of the request that the current task serves; None: it has none."""


def record_stage(metrics: EngineMetrics, name: str, started: float, ended: float | None = None) -> None:
    """Counts a stage, and adds its span to the current trace; times are by time.perf_counter. `ended` None: now."""
    ended = time.perf_counter() if ended is None else ended
    metrics.stage(name, ended - started)
    if trace := current.get():
        trace.stage(name, started, ended)


class Tracing:
    """Makes the traces of requests, and sends them from a thread of its own."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("whisper_runtime")

    def begin(self, method: str, parent: SpanContext | None) -> RequestTrace:
        """The trace of a request that comes now; `parent` is the client's span, None: it has none."""
        return RequestTrace(self._tracer, parent, method)

    def stop(self, seconds: float = otlp.FLUSH_SECONDS) -> None:
        """Sends what is left, in at most so many `seconds`."""
        otlp.shut_down(self._provider, seconds)


def start(environment: Mapping[str, str]) -> Tracing | None:
    """Tracing as the OTEL_* variables of the process say; None: none is wanted, or one is wrong, which is logged."""
    provider = otlp.tracer_provider(environment, SERVICE_NAME)
    return Tracing(provider) if provider else None
