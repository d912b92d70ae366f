"""A real collector takes the spans of the runtime, with real weights, and those of the operator, and passes them on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed import runtime_process
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support import otelcol, plain_http
from tests.support.kubectl import Kubectl
from tests.support.neighbour_plane import TRANSCRIPTIONS
from tests.support.otlp_receiver import OtlpReceiver, receiving
from tests.support.services import EMPTY_DIR, service

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}


@pytest.fixture
def collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OtlpReceiver]:
    """What the collector passes on of the processes that are started from now on."""
    with receiving() as receiver, otelcol.running(tmp_path, receiver.url) as url:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "500")
        yield receiver


def test_of_the_runtime(collected: OtlpReceiver, tmp_path: Path, jfk: bytes) -> None:
    with runtime_process.running(tmp_path / "runtime") as runtime:
        files = {"file": ("a-file-name.wav", jfk)}
        form = {"model": "whisper-1"}
        answer = plain_http.post(f"{runtime.url}{TRANSCRIPTIONS}", files=files, data=form, headers=HEADERS, timeout=300)
    assert answer.status_code == 200
    (whole,) = collected.wait_for(f"POST {TRANSCRIPTIONS}")
    assert (whole.trace_id, whole.resource["service.name"]) == (TRACE, "whisper-runtime")
    stages = sorted(collected.children_of(whole), key=lambda one: one.span.start_time_unix_nano)
    assert [one.name for one in stages] == ["receive", "decode", "queue", "encode", "decode_steps", "render"]
    assert all(one.is_within(whole) for one in stages)
    assert not any(b"country" in body or b"a-file-name" in body for body in collected.bodies)


def test_of_the_operator(collected: OtlpReceiver, plane: ControlPlane, namespace: Kubectl) -> None:
    namespace("create", "namespace", "traced")
    traced = namespace.within("traced")
    operator = OperatorProcess(plane, identity="traced", namespaces="traced", settings={"LEASE_NAME": "traced"})
    operator.start()
    try:
        traced.apply(service("speech", **EMPTY_DIR))
        (first, *_) = collected.wait_for("pass")
        assert first.attributes["k8s.namespace.name"] == "traced"
        steps = {one.name for one in collected.children_of(first)}
        assert steps == {"dereference", "resolve", "build", "apply", "status"}
        assert first.resource["service.name"] == "whisper-operator"
    finally:
        operator.stop()
