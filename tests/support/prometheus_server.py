"""Prometheus as a process, as the Prometheus operator has configured it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from testbed.cluster import binaries, process
from testbed.cluster.controlplane import free_ports
from tests.support import plain_http
from tests.support.prometheus_operator import RULES, WrittenConfiguration

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
        answer = plain_http.get(f"{self.url}{path}", params=query, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


@contextmanager
def running(directory: Path, configuration: WrittenConfiguration) -> Iterator[PrometheusServer]:
    """A server with that configuration, whose files of rules lie below `directory` and not below /."""
    (port,) = free_ports(1)
    for path, content in configuration.rules.items():
        file = directory / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    file = directory / "prometheus.yaml"
    file.write_text(configuration.prometheus.replace(RULES, f"{directory}{RULES}"))
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


def _is_ready(port: int) -> bool:
    try:
        return plain_http.get(f"http://127.0.0.1:{port}/-/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
