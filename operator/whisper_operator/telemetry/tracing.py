"""Spans of passes, sent by OTLP where OTEL_EXPORTER_OTLP_ENDPOINT names a collector: namespace, name and times alone.

OpenTelemetry is imported only where spans are wanted: most installations send none, and each start would take longer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from whisper_runtime.contract import otlp

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SERVICE_NAME: Final = "whisper-operator"
"""`service.name` where neither OTEL_SERVICE_NAME nor OTEL_RESOURCE_ATTRIBUTES says another."""
FLUSH_SECONDS: Final = 5.0
"""The longest that the last spans may take at the end of the process."""

PassAttributes = Mapping[str, str | int]

log = logging.getLogger(__name__)


class Spans:
    """The spans of one process; while `start` has not been called, or found none wanted, every call does nothing."""

    def __init__(self) -> None:
        self._provider: TracerProvider | None = None

    def start(self, environment: Mapping[str, str]) -> None:
        """Sends spans from now on, if the OTEL_* variables of the process say so.

        A variable that is wrong is logged, and costs the spans alone.
        """
        if not otlp.is_wanted(environment):
            return
        if problem := otlp.problem(environment):
            log.error("no traces are sent: %s", problem)
            return
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        is_named = OTELResourceDetector().detect().attributes.get("service.name")
        try:
            resource = Resource.create({} if is_named else {"service.name": SERVICE_NAME})
            provider = TracerProvider(resource=resource, shutdown_on_exit=False)
            provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        except ValueError as error:  # as of OTEL_BSP_MAX_EXPORT_BATCH_SIZE beyond the queue's size
            log.error("no traces are sent: an OTEL_* variable is wrong: %s; correct or unset it", error)
            return
        self._provider = provider

    @contextmanager
    def span(self, name: str, attributes: PassAttributes | None = None) -> Generator[str | None, None, None]:
        """The block as a span, within that of the block around it; yields the trace's id, None where none is sent.

        An exception ends the span as failed, by its type: its message may quote an object.
        """
        if self._provider is None:
            yield None
            return
        from opentelemetry.trace import StatusCode

        tracer = self._provider.get_tracer("whisper_operator")
        with tracer.start_as_current_span(
            name, attributes=dict(attributes or {}), record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield f"{span.get_span_context().trace_id:032x}"
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise

    def describe(self, attributes: PassAttributes) -> None:
        """Adds `attributes` to the span of the innermost block."""
        if self._provider is not None:
            from opentelemetry.trace import get_current_span

            get_current_span().set_attributes(dict(attributes))

    def stop(self, seconds: float = FLUSH_SECONDS) -> None:
        """Sends what is left, in at most so many `seconds`: a collector that does not answer holds nobody up."""
        provider, self._provider = self._provider, None
        if provider is None:
            return
        # The provider waits 30 s by itself, and its exporter cannot be given less.
        flushing = threading.Thread(target=provider.shutdown, name="last spans", daemon=True)
        flushing.start()
        flushing.join(seconds)


SPANS: Final = Spans()
"""Those of this process."""
