"""A request belongs to its client's trace: in the log always, and as spans where a collector is named."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Headers

from tests.fakes.engine import FakeEngine
from tests.runtime.conftest import PartsOf, Start, speech
from tests.support.otlp_receiver import OtlpReceiver, receiving
from whisper_runtime.http.middleware.trace import MAX_LENGTH, parent_of
from whisper_runtime.service import tracing
from whisper_runtime.service.parts import RuntimeParts
from whisper_runtime.service.tracing import Tracing

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    "header",
    [
        PARENT,
        f"00-{TRACE}-{SPAN}-00",
        f" {PARENT}\t",
        f"01-{TRACE}-{SPAN}-01",  # a later version may have more at its end (section 2.2.2 and 4.3)
        f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like",
    ],
)
def test_the_clients_span_is_the_parent(header: str) -> None:
    parent = parent_of(Headers({"traceparent": header}))
    assert parent is not None
    assert (f"{parent.trace_id:032x}", f"{parent.span_id:016x}") == (TRACE, SPAN)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        TRACE,
        f"ff-{TRACE}-{SPAN}-01",  # invalid by section 2.2.2
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",  # version 00 has no more
        f"01-{TRACE}-{SPAN}-01more",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN[1:]}-01",
        f"00_{TRACE}_{SPAN}_01",
        f"00-{'g' * 32}-{SPAN}-01",
        f"{PARENT},{PARENT}",
        f"cc-{TRACE}-{SPAN}-01-{'x' * MAX_LENGTH}",
    ],
)
def test_an_invalid_header_is_ignored(header: str) -> None:
    assert parent_of(Headers({"traceparent": header})) is None


def test_of_two_headers_none_counts() -> None:
    assert parent_of(Headers(raw=[(b"traceparent", PARENT.encode())] * 2)) is None


@pytest.mark.parametrize(
    ("state", "kept"),
    [("congo=t61rcWkgMzE", "t61rcWkgMzE"), ("", None), ("congo=" + "x" * MAX_LENGTH, None), ("no list", None)],
)
def test_what_vendors_say_is_kept_within_bounds(state: str, kept: str | None) -> None:
    parent = parent_of(Headers({"traceparent": PARENT, "tracestate": state}))
    assert parent is not None
    assert parent.trace_state.get("congo") == kept


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_the_trace_is_in_each_line_of_the_request(start: Start, stream: io.StringIO, engine: FakeEngine) -> None:
    engine.answer = RuntimeError("a bug")
    answer = await start().post("/transcribe", files=speech(), headers={"traceparent": PARENT})
    of_request = [line for line in lines(stream) if "request_id" in line]
    assert [line["message"][:16] for line in of_request] == ["unexpected error", "POST /transcribe"]
    assert {line["trace_id"] for line in of_request} == {TRACE}
    assert not {"traceparent", "tracestate", "traceresponse"} & set(answer.headers)


async def test_a_request_without_a_valid_trace_has_none_in_the_log(start: Start, stream: io.StringIO) -> None:
    client = start()
    await client.get("/v1/models", headers={"traceparent": "00-\t-bad", "tracestate": "a=1,a=1"})
    await client.get("/v1/models", headers={"traceparent": PARENT, "tracestate": "a=1,a=1,=,"})
    first, second = [line for line in lines(stream) if "request_id" in line]
    assert ("trace_id" in first, second["trace_id"]) == (False, TRACE)
    assert [line["level"] for line in lines(stream) if "trac" in line["module"]] == []


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    with receiving() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        yield found


@pytest.fixture
def traced(collector: OtlpReceiver) -> Iterator[Tracing]:
    found = tracing.start(os.environ)
    assert found is not None
    yield found
    found.stop()


@pytest.fixture
def parts(parts_of: PartsOf, traced: Tracing, tmp_path: Path) -> RuntimeParts:
    (tmp_path / "alice").write_text("a-secret-key")
    return parts_of(tracing=traced, api_keys_dir=str(tmp_path))


HEADERS = {"traceparent": PARENT, "tracestate": "congo=t61", "X-API-Key": "a-secret-key", "X-Request-ID": "an-id"}


async def test_the_spans_of_a_request(
    start: Start, parts: RuntimeParts, traced: Tracing, collector: OtlpReceiver, stream: io.StringIO
) -> None:
    await start(parts).post("/transcribe?q=a-query", files=speech(), data={"language": "en"}, headers=HEADERS)
    traced.stop()
    (whole,) = collector.named("POST /transcribe")
    assert (whole.trace_id, whole.span.parent_span_id.hex(), whole.span.trace_state) == (TRACE, SPAN, "congo=t61")
    assert whole.attributes == {
        "http.request.method": "POST",
        "http.route": "/transcribe",
        "http.response.status_code": 200,
        "whisper.language": "en",
        "whisper.audio_seconds": 2.5,
    }
    stages = collector.children_of(whole)
    assert [one.name for one in stages] == ["receive", "decode", "queue", "encode", "decode_steps", "render"]
    assert all(one.is_within(whole) for one in stages)
    for secret in (b"a-secret-key", b"Ask not", b"speech.wav", b"a-query", b"alice", b"127.0.0.1", b"an-id"):
        assert not any(secret in body for body in collector.bodies), secret
    assert {line["trace_id"] for line in lines(stream) if "request_id" in line} == {TRACE}


async def test_without_the_clients_a_request_begins_a_trace_of_its_own(
    start: Start, parts: RuntimeParts, traced: Tracing, collector: OtlpReceiver, stream: io.StringIO
) -> None:
    await start(parts).get("/v1/models", headers={"traceparent": "bad", "X-API-Key": "a-secret-key"})
    traced.stop()
    (span,) = collector.spans
    assert span.span.parent_span_id == b""
    assert {line["trace_id"] for line in lines(stream) if "request_id" in line} == {span.trace_id}


async def test_a_refusal_says_its_cause_and_no_probe_has_a_span(
    start: Start, parts: RuntimeParts, traced: Tracing, collector: OtlpReceiver
) -> None:
    client = start(parts)
    await client.post("/transcribe", files=speech())
    await client.get("/health")
    traced.stop()
    assert [(one.name, one.attributes["error.type"]) for one in collector.named("POST none")] == [
        ("POST none", "invalid_api_key")
    ]
    assert not [one for one in collector.spans if "health" in one.name]


async def test_what_the_client_did_not_sample_is_not_sent(
    start: Start, parts: RuntimeParts, traced: Tracing, collector: OtlpReceiver, stream: io.StringIO
) -> None:
    headers = HEADERS | {"traceparent": f"00-{TRACE}-{SPAN}-00"}
    assert (await start(parts).post("/transcribe", files=speech(), headers=headers)).status_code == 200
    traced.stop()
    assert collector.spans == []
    assert {line["trace_id"] for line in lines(stream) if "request_id" in line} == {TRACE}


@pytest.mark.parametrize("status", [503, 400])
async def test_a_collector_that_fails_harms_no_request(
    start: Start, parts: RuntimeParts, traced: Tracing, collector: OtlpReceiver, status: int
) -> None:
    collector.status = status
    answers = [await start(parts).post("/transcribe", files=speech(), headers=HEADERS) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3
    traced.stop(seconds=0.5)
