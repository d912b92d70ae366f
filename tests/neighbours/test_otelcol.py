"""A real collector takes the spans of the runtime, with real weights, those of the operator, and the lines of pods."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from testbed import runtime_process
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from testbed.paths import REPOSITORY
from tests.support import otelcol, plain_http
from tests.support.kubectl import Kubectl
from tests.support.neighbour_plane import TRANSCRIPTIONS
from tests.support.otlp_receiver import OtlpReceiver, receiving
from tests.support.pages import yaml_blocks
from tests.support.services import EMPTY_DIR, service
from whisper_runtime.logs import JsonFormatter, request_id, trace_id

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


LOGS_PAGE = REPOSITORY / "docs/how-to/logs.md"
POD = "team-a_meetings-6d5f9c7b8-2xk4q_0a1b2c3d"
"""Namespace, name and UID, as the kubelet names the folder of a pod's logs."""
PLAIN = "Segmentation fault"


@pytest.fixture
def pods(tmp_path: Path) -> Path:
    """What the kubelet keeps of a pod: a line of the runtime, one of another program, and one of a neighbour."""
    request_id.set("req-1")
    trace_id.set(TRACE)
    record = logging.LogRecord("engine", logging.WARNING, __file__, 7, "%d windows of it were silent", (3,), None)
    line = JsonFormatter().format(record)
    request_id.set(None)
    trace_id.set(None)
    file = tmp_path / "pods" / POD / "server" / "0.log"
    file.parent.mkdir(parents=True)
    half = len(line) // 2  # containerd cuts long lines
    at = "2026-01-02T03:04:05.678901234Z stderr"
    file.write_text(f"{at} P {line[:half]}\n{at} F {line[half:]}\n{at} F {PLAIN}\n")
    other = tmp_path / "pods" / POD / "istio-proxy" / "0.log"
    other.parent.mkdir(parents=True)
    other.write_text(f"{at} F not ours\n")
    return tmp_path / "pods"


def test_of_what_a_pod_logs(tmp_path: Path, pods: Path) -> None:
    """By the configuration as docs/how-to/logs.md shows it, with this machine's folder and address."""
    (config, *_) = yaml_blocks(LOGS_PAGE)
    text = json.dumps(config).replace("/var/log/pods", str(pods))
    with receiving() as receiver:
        shown = json.loads(text.replace("http://collector.observability:4318", receiver.url))
        shown["service"]["telemetry"] = {"metrics": {"level": "none"}}  # a port that another may have
        with otelcol.configured(tmp_path, shown):
            ours, plain = receiver.wait_for_records(2)
    assert ours.body == "3 windows of it were silent"
    assert ours.record.severity_text == "WARNING"
    assert ours.record.trace_id.hex() == TRACE
    assert ours.attributes["request_id"] == "req-1"
    written = datetime.fromisoformat(str(ours.attributes["timestamp"]))
    assert ours.record.time_unix_nano == int(written.timestamp() * 1000) * 10**6
    assert plain.body == PLAIN
    for one in (ours, plain):
        assert one.resource["k8s.namespace.name"] == "team-a"
        assert one.resource["k8s.pod.name"] == "meetings-6d5f9c7b8-2xk4q"
        assert one.resource["k8s.container.name"] == "server"
