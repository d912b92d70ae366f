"""The OTEL_* variables by which both programs send spans: whether they are wanted, and what is wrong with them.

OpenTelemetry's SDK reads the variables by itself. It answers a wrong one with a line in the log that may hold a key, or
with a default that sends the spans elsewhere, so the ones that decide where spans go are checked before it starts.
https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

PROTOCOL: Final = "http/protobuf"
"""The only one: gRPC's library is compiled, starts threads, and does not go with a process that starts decoders."""

Environment = Mapping[str, str]


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
