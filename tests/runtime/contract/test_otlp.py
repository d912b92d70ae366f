"""Whether spans are wanted, and a remedy for each variable with which none would arrive: never with a key in it."""

from __future__ import annotations

import pytest

from whisper_runtime.contract.otlp import is_wanted, problem

AT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        (AT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318/v1/metrics"}, False),
        (AT | {"OTEL_SDK_DISABLED": "TRUE"}, False),
        (AT | {"OTEL_SDK_DISABLED": "no"}, True),
        (AT | {"OTEL_TRACES_EXPORTER": "none"}, False),
        (AT | {"OTEL_TRACES_EXPORTER": "otlp"}, True),
    ],
)
def test_spans_are_wanted_where_an_endpoint_is_named(environment: dict[str, str], expected: bool) -> None:
    assert is_wanted(environment) is expected


@pytest.mark.parametrize(
    "environment",
    [
        AT,
        AT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
        AT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf"},
        AT | {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20a.b=, x-tenant = speech ,"},
        AT | {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer a\n"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://[fd00::1]:4318/prefix"},
    ],
)
def test_nothing_is_wrong(environment: dict[str, str]) -> None:
    assert problem(environment) is None


@pytest.mark.parametrize(
    ("environment", "name", "remedy"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER=zipkin", "set otlp or none"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", "set http/protobuf"),
        ({"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}, "OTLP_TRACES_PROTOCOL=http/json", "set http/protobuf"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "secret:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT", "for example http://"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://secret:a"}, "OTEL_EXPORTER_OTLP_ENDPOINT", "for example http://"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://"}, "OTEL_EXPORTER_OTLP_ENDPOINT", "for example http://"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://[secret"}, "OTEL_EXPORTER_OTLP_ENDPOINT", "for example http://"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "secret"}, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "for example http://"),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "secret"}, "OTEL_EXPORTER_OTLP_HEADERS", "for example authorization="),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "=secret"}, "OTEL_EXPORTER_OTLP_HEADERS", "for example authorization="),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "a=sécret"}, "OTEL_EXPORTER_OTLP_HEADERS", "for example authorization="),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "a=secret;b"}, "OTEL_EXPORTER_OTLP_HEADERS", "for example authorization="),
        ({"OTEL_EXPORTER_OTLP_HEADERS": "a=secret%0Ab"}, "OTEL_EXPORTER_OTLP_HEADERS", "for example authorization="),
        ({"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "secret"}, "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "for example"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy_and_without_a_key(
    environment: dict[str, str], name: str, remedy: str
) -> None:
    found = problem(AT | environment)
    assert found is not None
    assert name in found
    assert remedy in found
    assert "secret" not in found
    assert "sécret" not in found
