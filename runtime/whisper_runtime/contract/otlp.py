"""How both programs send spans: the OTEL_* variables, what is wrong with them, and the provider that they describe.

OpenTelemetry's SDK reads the variables by itself. It answers a wrong one with a line in the log that may hold a key, or
with a default that sends the spans elsewhere, so the ones that decide where spans go are checked before it starts.
https://opentelemetry.io/docs/specs/otel/protocol/exporter/

The SDK is imported only where spans are wanted: most installations send none, and each start would take longer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

PROTOCOL: Final = "http/protobuf"
"""The only one: gRPC's library is compiled, starts threads, and does not go with a process that starts decoders."""

FLUSH_SECONDS: Final = 5.0
"""The longest that the last spans may take at the end of the process."""

Environment = Mapping[str, str]

log = logging.getLogger(__name__)


def tracer_provider(environment: Environment, service_name: str) -> TracerProvider | None:
    """What sends spans as the variables say; None: none are wanted, or a variable is wrong.

    That is logged, and costs the spans alone. `service_name` is that of the spans where neither OTEL_SERVICE_NAME nor
    OTEL_RESOURCE_ATTRIBUTES says another.
    """
    if not is_wanted(environment):
        return None
    if wrong := problem(environment):
        log.error("no traces are sent: %s", wrong)
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    is_named = OTELResourceDetector().detect().attributes.get("service.name")
    try:
        resource = Resource.create({} if is_named else {"service.name": service_name})
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    except ValueError as error:  # as of OTEL_BSP_MAX_EXPORT_BATCH_SIZE beyond the queue's size
        log.error("no traces are sent: an OTEL_* variable is wrong: %s; correct or unset it", error)
        return None
    return provider


def shut_down(provider: TracerProvider, seconds: float) -> None:
    """Sends what is left, in at most so many `seconds`: a collector that does not answer holds nobody up."""
    # The provider waits 30 s by itself, and its exporter cannot be given less.
    flushing = threading.Thread(target=provider.shutdown, name="last spans", daemon=True)
    flushing.start()
    flushing.join(seconds)


def is_wanted(environment: Environment) -> bool:
    """Whether spans are to be sent: an endpoint is named, and neither the SDK nor its traces are off."""
    disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() or "otlp"
    return bool(_value(environment, "ENDPOINT")) and not disabled and exporter != "none"


def problem(environment: Environment) -> str | None:
    """The first variable with which no span would arrive, and the remedy; None: there is none.

    No value of a header is in it, nor the endpoint: each may be, or hold, a key.
    """
    if (exporter := environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()) not in ("", "otlp", "none"):
        return f"OTEL_TRACES_EXPORTER={exporter} is not supported; set otlp or none"
    if (protocol := _value(environment, "PROTOCOL")) not in ("", PROTOCOL):
        return f"{_name(environment, 'PROTOCOL')}={protocol} is not supported; set {PROTOCOL}, and the collector's port"
    if not _is_url(_value(environment, "ENDPOINT")):
        return f"{_name(environment, 'ENDPOINT')} is not a valid URL; for example http://collector.observability:4318"
    if not all(map(_is_header, filter(str.strip, _value(environment, "HEADERS").split(",")))):
        name = _name(environment, "HEADERS")
        return f"{name} is not a list of name=value with URL-encoded values; for example authorization=Bearer%20KEY"
    return None


def _name(environment: Environment, setting: str) -> str:
    """The variable that counts: that of the traces alone before that of all signals."""
    of_traces = f"OTEL_EXPORTER_OTLP_TRACES_{setting}"
    return of_traces if environment.get(of_traces) else f"OTEL_EXPORTER_OTLP_{setting}"


def _value(environment: Environment, setting: str) -> str:
    """Empty where the variable is unset."""
    return environment.get(_name(environment, setting), "").strip()


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # of the port, or of an address in brackets
        return False


def _is_header(item: str) -> bool:
    """Whether it is name=value as the SDK takes it, and as HTTP can carry it."""
    name, is_pair, value = item.strip().partition("=")
    fits = value.isascii() and not set(value) & set('";\\') and unquote(value).isprintable()
    return bool(is_pair and name.strip().isascii() and name.strip().isprintable() and name.strip() and fits)
