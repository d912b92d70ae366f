"""Spans go to the collector that the OTEL_* variables name, as they say, and cost nobody anything."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from starlette.datastructures import Headers

from tests.support.otlp_receiver import OtlpReceiver, receiving
from whisper_runtime.http.middleware.trace import parent_of
from whisper_runtime.service import tracing
from whisper_runtime.service.tracing import MAX_STAGES, Tracing


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    with receiving() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        yield found


def started() -> Tracing:
    """Tracing by the variables of this process, which the SDK reads by itself."""
    found = tracing.start(os.environ)
    assert found is not None
    return found


def send_one(found: Tracing) -> None:
    trace = found.begin("POST", None)
    trace.answered(200, None)
    trace.end("/transcribe")


def test_nothing_of_the_sdk_is_imported_where_no_spans_are_wanted() -> None:
    """Else each start of a server would take longer."""
    code = (
        "import sys; from whisper_runtime.service import tracing; from whisper_runtime.http import app; "
        "assert tracing.start({}) is None; "
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"


def test_a_span_says_method_route_and_status(collector: OtlpReceiver) -> None:
    found = started()
    trace = found.begin("POST", None)
    trace.stage("decode", trace.started, time.perf_counter())
    trace.answered(429, "queue_full")
    trace.end("/v1/audio/transcriptions")
    found.stop()
    (span,) = collector.named("POST /v1/audio/transcriptions")
    assert span.trace_id == trace.trace_id
    assert span.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/audio/transcriptions",
        "http.response.status_code": 429,
        "error.type": "queue_full",
    }
    (decode,) = collector.named("decode")
    assert decode.is_within(span)


def test_what_another_program_does_is_within_the_requests_span(collector: OtlpReceiver) -> None:
    found = started()
    trace = found.begin("POST", None)
    parent = parent_of(Headers({"traceparent": trace.traceparent}))
    assert parent
    assert f"{parent.trace_id:032x}" == trace.trace_id
    found.begin("GET", parent).end("/inner")
    trace.end("/outer")
    found.stop()
    (inner,), (outer,) = collector.named("GET /inner"), collector.named("POST /outer")
    assert inner.is_within(outer)


def test_a_method_of_the_clients_own_is_no_name(collector: OtlpReceiver) -> None:
    found = started()
    found.begin("SECRET", None).end("none")
    found.stop()
    (span,) = collector.spans
    assert (span.name, span.attributes["http.request.method"]) == ("_OTHER none", "_OTHER")


def test_a_long_recording_has_a_bounded_number_of_spans(collector: OtlpReceiver) -> None:
    found = started()
    trace = found.begin("POST", None)
    for _ in range(MAX_STAGES + 3):
        trace.stage("encode", 0, 1)
    trace.end("/transcribe")
    found.stop()
    assert len(collector.named("encode")) == MAX_STAGES
    assert collector.named("POST /transcribe")[0].attributes["whisper.stages_left_out"] == 3


def test_the_service_has_a_name(collector: OtlpReceiver) -> None:
    found = started()
    send_one(found)
    found.stop()
    assert collector.spans[0].resource["service.name"] == "whisper-runtime"


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"OTEL_SERVICE_NAME": "speech"}, {"service.name": "speech"}),
        (
            {"OTEL_RESOURCE_ATTRIBUTES": "service.name=speech,k8s.pod.name=speech-1"},
            {"service.name": "speech", "k8s.pod.name": "speech-1"},
        ),
        ({"OTEL_RESOURCE_ATTRIBUTES": "k8s.pod.name=speech-1"}, {"service.name": "whisper-runtime"}),
    ],
)
def test_the_users_own_name_and_attributes_are_taken(
    collector: OtlpReceiver, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = started()
    send_one(found)
    found.stop()
    assert expected.items() <= collector.spans[0].resource.items()


def test_headers_and_compression_are_taken(collector: OtlpReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    found = started()
    send_one(found)
    found.stop()
    assert collector.headers[0]["authorization"] == "Bearer abc"
    assert collector.headers[0]["content-encoding"] == "gzip"
    assert collector.named("POST /transcribe")


@pytest.mark.parametrize(
    ("variables", "count"), [({"OTEL_TRACES_SAMPLER": "always_off"}, 0), ({"OTEL_TRACES_SAMPLER": "always_on"}, 1)]
)
def test_the_sampler_is_taken(
    collector: OtlpReceiver, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], count: int
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = started()
    send_one(found)
    found.stop()
    assert len(collector.spans) == count


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "secret:4318"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1000000"),
    ],
)
def test_a_wrong_variable_costs_the_spans_alone(
    collector: OtlpReceiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    value: str,
) -> None:
    monkeypatch.setenv(name, value)
    assert tracing.start(os.environ) is None
    (line,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert line.startswith("no traces are sent: ")
    assert "secret" not in caplog.text


def test_the_end_waits_no_longer_than_it_may_for_a_collector_that_hangs(collector: OtlpReceiver) -> None:
    collector.may_answer.clear()
    found = started()
    send_one(found)
    began = time.monotonic()
    found.stop(seconds=0.2)
    assert time.monotonic() - began < 5
