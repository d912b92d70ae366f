"""Nodes and pods that kwok simulates; the real scheduler places the pods."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from testbed import operator_plane
from testbed.cluster import binaries, process
from testbed.cluster.controlplane import ControlPlane, free_ports

STAGES: Final = Path(__file__).with_name("kwok.yaml")
PODS_PER_NODE: Final = 250
NODE_LEASE_SECONDS: Final = 40


@contextmanager
def simulated_nodes(plane: ControlPlane, nodes: int) -> Generator[None]:
    """Runs the real scheduler and kwok, which simulates `nodes` nodes and every pod on them, until the block ends."""
    programs = binaries.ensure("kube-scheduler", "kwok")
    scheduler = (
        str(programs / "kube-scheduler"),
        f"--kubeconfig={plane.kubeconfig}",
        "--leader-elect=false",
        f"--secure-port={free_ports(1)[0]}",
        f"--authentication-kubeconfig={plane.kubeconfig}",
        f"--authorization-kubeconfig={plane.kubeconfig}",
    )
    kwok = (
        str(programs / "kwok"),
        f"--kubeconfig={plane.kubeconfig}",
        f"--config={STAGES}",
        "--manage-all-nodes=true",
        # A node without a Lease is taken for lost after 40 s, and its pods for unready.
        f"--node-lease-duration-seconds={NODE_LEASE_SECONDS}",
    )
    try:
        process.start(plane.directory, "kube-scheduler", scheduler)
        process.start(plane.directory, "kwok", kwok)
        bodies = {"apiVersion": "v1", "kind": "List", "items": [_node(f"node-{number}") for number in range(nodes)]}
        operator_plane.kubectl(plane, "apply", "-f", "-", stdin=json.dumps(bodies))
        operator_plane.wait_until("the nodes are Ready", lambda: _ready_nodes(plane) == nodes)
        yield
    finally:
        for name in ("kwok", "kube-scheduler"):
            process.stop(plane.directory, name)


def _ready_nodes(plane: ControlPlane) -> int:
    return operator_plane.kubectl(plane, "get", "nodes").count(" Ready")


def _node(name: str) -> dict[str, Any]:
    capacity = {"cpu": "1k", "memory": "2Ti", "pods": str(PODS_PER_NODE + 10)}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name},  # as every kubelet does: pods attract each other by it
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "status": {"capacity": capacity, "allocatable": capacity},
    }
