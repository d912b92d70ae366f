"""Spans of passes, sent by OTLP where OTEL_EXPORTER_OTLP_ENDPOINT names a collector: namespace, name and times alone.

OpenTelemetry is imported only where spans are wanted: most installations send none, and each start would take longer.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from whisper_runtime.contract import otlp

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SERVICE_NAME: Final = "whisper-operator"

PassAttributes = Mapping[str, str | int]


class Spans:
    """The spans of one process; while `start` has not been called, or found none wanted, every call does nothing."""

    def __init__(self) -> None:
        self._provider: TracerProvider | None = None

    def start(self, environment: Mapping[str, str]) -> None:
        """Sends spans from now on, if the OTEL_* variables of the process say so.

        A variable that is wrong is logged, and costs the spans alone.
        """
        self._provider = otlp.tracer_provider(environment, SERVICE_NAME)

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

    def stop(self, seconds: float = otlp.FLUSH_SECONDS) -> None:
        """Sends what is left, in at most so many `seconds`, and nothing from then on."""
        provider, self._provider = self._provider, None
        if provider is not None:
            otlp.shut_down(provider, seconds)


SPANS: Final = Spans()
"""Those of this process."""
