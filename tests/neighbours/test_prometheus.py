"""The Prometheus operator configures a Prometheus from our objects, which scrapes, fills the dashboards and alerts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml

from testbed.cluster.controlplane import ControlPlane
from testbed.paths import REPOSITORY
from testbed.runtime_process import RuntimeProcess
from tests.neighbours.conftest import SELECTED
from tests.support import prometheus_operator, prometheus_server
from tests.support.kubectl import Kubectl
from tests.support.neighbour_plane import pod_name, stand_in, transcribe
from tests.support.prometheus_operator import WrittenConfiguration
from tests.support.prometheus_server import PrometheusServer
from tests.support.waiting import awaited, eventually
from whisper_runtime.contract.network import METRICS_PATH

PROMETHEUS = "main"
DASHBOARD = REPOSITORY / "charts/whisper-operator/dashboards/service.json"
VARIABLES = {"$namespace": "neighbours", "${service}": "speech", "$service": "speech", "$__rate_interval": "30s"}
OF_OTHERS = ("kube_", "container_")
"""Series of kube-state-metrics and the kubelet, which do not run here."""
OF_PARTS = (
    "whisper_front_",
    "whisper_job",
    "whisper_batch",
    "whisper_webhook_",
    "whisper_result_cache_",
    "whisper_store_",
)
"""Series of a front, of jobs, batches and their events, of kept results and of a store: this service has none."""


def impatient(rules: str) -> str:
    """A file of rules, whose alerts fire as soon as their expressions hold."""
    found = yaml.safe_load(rules)
    for group in found["groups"]:
        for one in group["rules"]:
            one["for"] = "0s"
    return yaml.safe_dump(found)


@pytest.fixture(scope="module")
def configuration(plane: ControlPlane, services: Kubectl) -> Iterator[WrittenConfiguration]:
    """What the Prometheus operator makes of the services' ServiceMonitors and PrometheusRules."""
    for kind in ("servicemonitor", "prometheusrule"):
        for name in ("speech", "speech-nginx"):
            eventually(f"the {kind} {name} is there", lambda kind=kind, name=name: services.get(kind, name))
    services.apply(
        prometheus_operator.token_of(plane, PROMETHEUS),
        prometheus_operator.prometheus(plane, PROMETHEUS, SELECTED),
    )

    def found() -> WrittenConfiguration | None:
        written = prometheus_operator.written(services, PROMETHEUS)
        return written if written and written.rules and "job_name" in written.prometheus else None

    with prometheus_operator.running(plane):
        configuration = awaited("the Prometheus is configured", found)
        yield configuration


@pytest.fixture(scope="module")
def server(
    configuration: WrittenConfiguration, runtime: RuntimeProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrometheusServer]:
    rules = {path: impatient(content) for path, content in configuration.rules.items()}
    found = dataclasses.replace(configuration, rules=rules)
    with prometheus_server.running(tmp_path_factory.mktemp("prometheus"), found) as server:
        eventually("the pod is scraped", lambda: server.query("up == 1"))
        yield server


def test_what_has_the_labels_of_the_prometheus_is_taken_alone(configuration: WrittenConfiguration) -> None:
    config = yaml.safe_load(configuration.prometheus)
    assert [one["job_name"] for one in config["scrape_configs"]] == ["serviceMonitor/neighbours/speech/0"]
    groups = [group for file in configuration.rules.values() for group in yaml.safe_load(file)["groups"]]
    assert [group["name"] for group in groups] == ["whisper-speech"]


@pytest.mark.usefixtures("configuration")
def test_the_prometheus_operator_finds_nothing_to_complain_of(services: Kubectl) -> None:
    told = services.list("events")
    assert [
        one for one in told if one["type"] == "Warning" and "prometheus" in one["source"].get("component", "")
    ] == []


def test_the_spec_of_the_monitor_arrives(configuration: WrittenConfiguration) -> None:
    (job,) = yaml.safe_load(configuration.prometheus)["scrape_configs"]
    assert (job["scrape_interval"], job["scrape_timeout"], job["metrics_path"]) == ("1s", "1s", METRICS_PATH)
    (of_ours,) = [one for one in job["relabel_configs"] if one.get("target_label") == "team"]
    # The API server adds the action, which ServiceMonitors have a default for.
    assert of_ours == {"action": "replace", "target_label": "team", "replacement": "speech"}


def test_the_service_monitor_selects_the_metrics_of_its_own_service_alone(server: PrometheusServer) -> None:
    (target,) = server.targets()
    labels = {name: target["labels"].get(name) for name in ("namespace", "service", "pod", "endpoint")}
    of_service = {"namespace": "neighbours", "service": "speech-metrics", "endpoint": "metrics"}
    assert labels == {**of_service, "pod": pod_name("speech")}
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
            if not any(name in expression for name in (*OF_OTHERS, *OF_PARTS)):
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
