"""An API that the API server has from a program of this machine, as metrics APIs are served in a cluster."""

from __future__ import annotations

import json
from typing import Final

from testbed.cluster.controlplane import ControlPlane
from testbed.operator_plane import apply, kubectl, wait_until

NAMESPACE: Final = "default"


def register(plane: ControlPlane, api: str, port: int) -> None:
    """Registers an API as a program of this machine that listens there has it; `api`: as its APIService is named."""
    name, (version, _, group) = api.replace(".", "-"), api.partition(".")
    spec = {
        "service": {"name": name, "namespace": NAMESPACE, "port": port},
        "group": group,
        "version": version,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
    }
    apply(
        plane,
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": api},
            "spec": spec,
        },
    )
    wait_until(f"{api} is served", lambda: _is_available(plane, api))


def _is_available(plane: ControlPlane, api: str) -> bool:
    found = json.loads(kubectl(plane, "get", "apiservice", api, "-o", "json"))
    conditions = found.get("status", {}).get("conditions", [])
    return any(one["type"] == "Available" and one["status"] == "True" for one in conditions)
