"""Prometheus as a process, configured from ServiceMonitors and PrometheusRules as the Prometheus operator does it.

Source: generateServiceMonitorConfig in pkg/prometheus/promcfg.go of
https://github.com/prometheus-operator/prometheus-operator (v0.85), reduced to what our ServiceMonitors use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from testbed.cluster import binaries, process
from testbed.cluster.controlplane import ControlPlane, free_ports
from whisper_operator.api.v1alpha1 import Manifest

NAME = "prometheus"


@dataclass(frozen=True)
class PrometheusServer:
    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples; raises AssertionError with Prometheus' answer where it refuses the expression."""
        return self._get("/api/v1/query", query=expression)["result"]

    def targets(self) -> list[dict[str, Any]]:
        return self._get("/api/v1/targets", state="active")["activeTargets"]

    def alerts(self) -> dict[str, str]:
        """The state of each alert that is pending or firing, by its name."""
        return {one["labels"]["alertname"]: one["state"] for one in self._get("/api/v1/alerts")["alerts"]}

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.url}{path}", params=query, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


@contextmanager
def running(
    plane: ControlPlane, directory: Path, monitors: list[Manifest], rules: list[Manifest]
) -> Iterator[PrometheusServer]:
    """A server that scrapes by those ServiceMonitors and judges by those PrometheusRules each second."""
    (port,) = free_ports(1)
    groups = [group for rule in rules for group in rule["spec"]["groups"]]
    (directory / "rules.yaml").write_text(yaml.safe_dump({"groups": groups}))
    (directory / "token").write_text(plane.token)
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [one for monitor in monitors for one in scrape_configs(plane, directory, monitor)],
    }
    file = directory / "prometheus.yaml"
    file.write_text(yaml.safe_dump(config))
    command = (
        str(binaries.ensure("prometheus") / "prometheus"),
        f"--config.file={file}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    process.start(directory, NAME, command)
    try:
        process.wait(directory, NAME, "it is ready", lambda: _is_ready(port))
        yield PrometheusServer(f"http://127.0.0.1:{port}")
    finally:
        process.stop(directory, NAME)


def scrape_configs(plane: ControlPlane, directory: Path, monitor: Manifest) -> Iterator[dict[str, Any]]:
    """One for each endpoint of the ServiceMonitor: it selects Services of its own namespace by their labels."""
    namespace, name = monitor["metadata"]["namespace"], monitor["metadata"]["name"]
    api = {"api_server": plane.server, "tls_config": {"ca_file": str(plane.certificate)}}
    credentials = {"authorization": {"credentials_file": str(directory / "token")}}
    discovery = {"role": "endpointslice", "namespaces": {"names": [namespace]}, **api, **credentials}
    for number, endpoint in enumerate(monitor["spec"]["endpoints"]):
        yield {
            "job_name": f"serviceMonitor/{namespace}/{name}/{number}",
            "metrics_path": endpoint["path"],
            "scrape_interval": endpoint["interval"],
            **({"scrape_timeout": endpoint["scrapeTimeout"]} if "scrapeTimeout" in endpoint else {}),
            "kubernetes_sd_configs": [discovery],
            "relabel_configs": [
                *(_kept_label(*label) for label in monitor["spec"]["selector"]["matchLabels"].items()),
                _kept("__meta_kubernetes_endpointslice_port_name", endpoint["port"]),
                _named("__meta_kubernetes_namespace", "namespace"),
                _named("__meta_kubernetes_service_name", "service"),
                _named("__meta_kubernetes_pod_name", "pod"),
                # No pod exists here; the endpoint names the one that it would be.
                _named("__meta_kubernetes_endpointslice_address_target_name", "pod"),
                {"target_label": "endpoint", "replacement": endpoint["port"]},
                _named("__meta_kubernetes_service_name", "job"),
                *map(_in_prometheus_words, endpoint.get("relabelings", ())),
            ],
            "metric_relabel_configs": [*map(_in_prometheus_words, endpoint.get("metricRelabelings", ()))],
        }


def _in_prometheus_words(relabeling: Manifest) -> dict[str, Any]:
    """`sourceLabels` is source_labels there, and so on."""
    return {re.sub(r"([A-Z])", r"_\1", name).lower(): value for name, value in relabeling.items()}


def _kept_label(label: str, value: str) -> dict[str, Any]:
    bare = re.sub(r"[^a-zA-Z0-9_]", "_", label)
    there = [f"__meta_kubernetes_service_label_{bare}", f"__meta_kubernetes_service_labelpresent_{bare}"]
    return {"action": "keep", "source_labels": there, "regex": f"({re.escape(value)});true"}


def _kept(source: str, value: str) -> dict[str, Any]:
    return {"action": "keep", "source_labels": [source], "regex": value}


def _named(source: str, label: str) -> dict[str, Any]:
    return {"source_labels": [source], "regex": "(.+)", "target_label": label}


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/-/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
