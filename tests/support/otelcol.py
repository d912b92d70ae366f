"""An OpenTelemetry collector as a process, which passes on what it gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from testbed.cluster import binaries, process
from testbed.cluster.controlplane import free_ports
from tests.support import plain_http

NAME = "otelcol"


@contextmanager
def running(directory: Path, to: str) -> Iterator[str]:
    """URL of a collector that takes OTLP by HTTP and sends each trace to the collector at `to`."""
    (port,) = free_ports(1)
    config = {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "exporters": {"otlp_http": {"endpoint": to}},
        "service": {
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp_http"]}},
            "telemetry": {"metrics": {"level": "none"}},
        },
    }
    with configured(directory, config):
        process.wait(directory, NAME, "it listens", lambda: _listens(port))
        yield f"http://127.0.0.1:{port}"


@contextmanager
def configured(directory: Path, config: Mapping[str, Any]) -> Iterator[None]:
    """A collector with that configuration, which may not listen yet."""
    file = directory / "otelcol.yaml"
    file.write_text(yaml.safe_dump(dict(config)))
    process.start(directory, NAME, (str(binaries.ensure(NAME) / NAME), f"--config=file:{file}"))
    try:
        yield
    finally:
        process.stop(directory, NAME)


def _listens(port: int) -> bool:
    try:
        return plain_http.get(f"http://127.0.0.1:{port}/", timeout=5).status_code > 0
    except httpx.TransportError:
        return False
