"""A pass is a span with its steps in it, where a collector is named; else nothing of OpenTelemetry is even imported."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.fakes.cluster import FakeCluster
from tests.operator.passes import Passes, example
from tests.support.otlp_receiver import OtlpReceiver, receiving
from whisper_operator.kube.errors import ApiError
from whisper_operator.observe.records import Key
from whisper_operator.reconcile import worker
from whisper_operator.reconcile.queue import Queue
from whisper_operator.telemetry import logs
from whisper_operator.telemetry.tracing import SPANS, Spans

KEY: Key = ("team", "speech")


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    """Takes the spans of this process."""
    with receiving() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        SPANS.start(os.environ)
        yield found
        SPANS.stop()


def test_nothing_is_imported_where_no_spans_are_wanted() -> None:
    code = (
        "import sys; from whisper_operator.process.operator import SPANS; "
        "SPANS.start({}); SPANS.describe({}); context = SPANS.span('pass'); context.__enter__(); "
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"


async def test_a_pass_has_its_steps_in_it(collector: OtlpReceiver) -> None:
    """Given a new service, whose claim makes its Job wanted: two rounds write, and a third has nothing left to do."""
    passes = Passes(example("minimal"), FakeCluster())
    namespace, name = passes.key

    async def reconcile(_: Key) -> float | None:
        return await passes.run()

    await worker.run(passes.key, Queue(), reconcile)
    SPANS.stop()
    (whole,) = collector.named("pass")
    assert whole.resource["service.name"] == "whisper-operator"
    of_pass = whole.attributes.pop("whisper.pass")
    assert isinstance(of_pass, str)
    assert whole.attributes == {
        "k8s.namespace.name": namespace,
        "whisper.service": name,
        "whisper.pass": of_pass,
        "whisper.generation": 1,
    }
    steps = [one.name for one in collector.children_of(whole)]
    assert steps == ["dereference", "resolve", *["build", "apply", "resolve"] * 2, "build", "apply", "status"]
    assert all(one.is_within(whole) for one in collector.children_of(whole))
    first, *_, last = collector.named("apply")
    assert first.attributes["whisper.applies"] != 0
    assert last.attributes == {"whisper.applies": 0, "whisper.deletions": 0}


async def test_a_pass_that_fails_says_of_what_kind_and_quotes_nothing(collector: OtlpReceiver) -> None:
    async def reconcile(_: Key) -> None:
        with SPANS.span("apply"):
            raise ApiError("apply Secret secret-words", 403, "Forbidden", "secret-words")

    await worker.run(KEY, Queue(), reconcile)
    SPANS.stop()
    assert {one.name: (one.attributes["error.type"], one.span.status.code) for one in collector.spans} == {
        "apply": ("ApiError", 2),
        "pass": ("ApiError", 2),
    }
    assert not any(b"secret-words" in body for body in collector.bodies)


async def test_the_lines_of_a_pass_have_its_trace(collector: OtlpReceiver) -> None:
    seen: list[str] = []

    async def reconcile(_: Key) -> None:
        seen.append(logs.PASS.get()["trace_id"])

    await worker.run(KEY, Queue(), reconcile)
    SPANS.stop()
    assert seen == [collector.named("pass")[0].trace_id]
    assert "trace_id" not in logs.PASS.get()


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_EXPORTER_OTLP_HEADERS", "secret"), ("OTEL_BSP_MAX_QUEUE_SIZE", "1")]
)
def test_a_wrong_variable_costs_the_spans_alone(
    collector: OtlpReceiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    spans = Spans()
    spans.start(os.environ)
    with spans.span("pass") as trace_id:
        assert trace_id is None
    assert caplog.messages[-1].startswith("no traces are sent: ")
    assert "secret" not in caplog.text


def test_the_end_waits_no_longer_than_it_may_for_a_collector_that_hangs(collector: OtlpReceiver) -> None:
    collector.may_answer.clear()
    with SPANS.span("pass"):
        pass
    began = time.monotonic()
    SPANS.stop(seconds=0.2)
    assert time.monotonic() - began < 5
