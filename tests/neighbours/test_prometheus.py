"""Prometheus scrapes by what the operator writes, the dashboards show something, and the alerts fire."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from testbed.cluster.controlplane import ControlPlane
from testbed.paths import REPOSITORY
from testbed.runtime_process import RuntimeProcess
from tests.support import prometheus_server
from tests.support.kubectl import Kubectl
from tests.support.neighbour_plane import POD, stand_in, transcribe
from tests.support.prometheus_server import PrometheusServer
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_runtime.contract.network import METRICS_PATH

DASHBOARD = REPOSITORY / "charts/whisper-operator/dashboards/service.json"
VARIABLES = {"$namespace": "neighbours", "${service}": "speech", "$service": "speech", "$__rate_interval": "30s"}
OF_OTHERS = ("kube_", "container_")
"""Series of kube-state-metrics and the kubelet, which do not run here."""


def child(services: Kubectl, kind: str) -> Manifest:
    eventually(f"the {kind} is there", lambda: services.get(kind, "speech"))
    return services.get(kind, "speech") or {}


def impatient(rule: Manifest) -> Manifest:
    """The PrometheusRule, whose alerts fire as soon as their expressions hold."""
    found = copy.deepcopy(rule)
    for group in found["spec"]["groups"]:
        for one in group["rules"]:
            one["for"] = "0s"
    return found


@pytest.fixture(scope="module")
def server(
    plane: ControlPlane, services: Kubectl, runtime: RuntimeProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrometheusServer]:
    monitor, rule = child(services, "servicemonitor"), child(services, "prometheusrule")
    directory = tmp_path_factory.mktemp("prometheus")
    with prometheus_server.running(plane, directory, [monitor], [impatient(rule)]) as found:
        eventually("the pod is scraped", lambda: found.query("up == 1"))
        yield found


def test_the_service_monitor_selects_the_metrics_of_its_own_service_alone(server: PrometheusServer) -> None:
    (target,) = server.targets()
    labels = {name: target["labels"].get(name) for name in ("namespace", "service", "pod", "endpoint")}
    assert labels == {"namespace": "neighbours", "service": "speech-metrics", "pod": POD, "endpoint": "metrics"}
    assert target["health"] == "up"


def test_what_the_spec_relabels_is_relabelled(server: PrometheusServer, runtime: RuntimeProcess) -> None:
    assert server.query('count(whisper_ready{team="speech"})')
    assert "whisper_scratch_bytes" in runtime.get(METRICS_PATH)
    assert server.query("whisper_scratch_bytes") == []


def test_a_healthy_service_fires_nothing(server: PrometheusServer) -> None:
    eventually("it is known to be ready", lambda: server.query('whisper_ready{service="speech-metrics"} == 1'))
    eventually("nothing fires", lambda: not server.alerts())


def test_every_panel_of_the_dashboard_shows_something(
    server: PrometheusServer, runtime: RuntimeProcess, jfk: bytes
) -> None:
    def empty_panels() -> list[str]:
        transcribe(runtime.url, jfk).raise_for_status()
        return [title for title, expression in panels() if not server.query(expression)]

    eventually("each panel has a value", lambda: not empty_panels(), seconds=120)


def panels() -> Iterator[tuple[str, str]]:
    """Title and expression of each query that reads the runtime's own metrics alone."""
    dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            expression: str = target["expr"]
            for variable, value in VARIABLES.items():
                expression = expression.replace(variable, value)
            assert "$" not in expression
            if not any(name in expression for name in OF_OTHERS):
                yield panel["title"], expression


def test_requests_that_are_refused_fire_an_alert(server: PrometheusServer, runtime: RuntimeProcess, jfk: bytes) -> None:
    """Given clients that send more than the queue may hold."""

    def fires() -> bool:
        with ThreadPoolExecutor(8) as clients:
            answers = clients.map(lambda _: transcribe(runtime.url, jfk), range(8))
            assert 429 in {answer.status_code for answer in answers}
        return server.alerts().get("WhisperRequestsRefused") == "firing"

    eventually("the alert fires", fires, seconds=180)


def test_a_service_without_a_ready_pod_fires_an_alert(
    server: PrometheusServer, services: Kubectl, runtime: RuntimeProcess
) -> None:
    services("delete", "endpointslice", "speech-metrics")
    eventually("the alert fires", lambda: server.alerts().get("WhisperServiceDown") == "firing")
    stand_in(services, "speech", runtime)
    eventually("it ends", lambda: "WhisperServiceDown" not in server.alerts())
