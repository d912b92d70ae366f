"""What the operator does when there is nothing to do: `python -m hack.bench.rest`.

A thousand services whose nodes and pods kwok plays, all Ready; then the API server's audit log is the witness of what
the operator asks for at rest, and after it has been started again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hack import audit
from hack.bench import plane as bench
from hack.bench.clients import create_all
from hack.bench.plane import OperatorProcess
from hack.cluster import binaries, process
from hack.cluster.controlplane import ControlPlane, free_ports

STAGES = Path(__file__).with_name("kwok.yaml")
PODS_PER_NODE = 250
RESTART_SECONDS = 120
NODE_LEASE_SECONDS = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=600)
    parsed = parser.parse_args()
    names = [f"s{number}" for number in range(parsed.services)]
    nodes = 1 + len(names) // PODS_PER_NODE
    with tempfile.TemporaryDirectory() as directory, bench.running(Path(directory)) as plane, played(plane, nodes):
        operator = OperatorProcess(plane)
        operator.start()
        started = time.time()
        asyncio.run(create_all(plane, [bench.service(name) for name in names]))
        bench.wait("every service is Ready", lambda: ready(plane) == len(names), limit=1800)
        print(f"{len(names)} services Ready after {time.time() - started:.0f} s", flush=True)
        # Autoscalers judge for the first time after their first periods of 15 s; then all is at rest.
        bench.until_quiet(plane, 0, limit=600, quiet=30)
        observe(operator, parsed.seconds, "at rest")
        operator.stop()
        operator.start()
        observe(operator, min(RESTART_SECONDS, parsed.seconds), "after a restart")
        print(f"peak memory {operator.peak_mib:.0f} MiB")
        operator.stop()


def observe(operator: OperatorProcess, seconds: int, when: str) -> None:
    """Prints what it asked for within `seconds`, the Lease excepted; raises ComponentFailed where it has ended."""
    log = operator.plane.audit_log
    since = log.stat().st_size
    time.sleep(seconds)
    if not operator.is_running:
        raise process.ComponentFailed(f"the operator ended {when}:\n{operator.last_lines()}")
    found = list(audit.requests(log, bench.OPERATOR, since))
    if not found:
        raise ValueError("the audit log shows nothing of the operator, not even its poll of /apis")
    written = bench.writes_among(found)
    print(f"{when}: {len(written)} writes in {seconds} s; requests: {json.dumps(bench.by_verb(found))}", flush=True)


@contextmanager
def played(plane: ControlPlane, nodes: int) -> Generator[None]:
    """The real scheduler, and kwok, which plays so many nodes, and every pod on them."""
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
        bench.kubectl(plane, "apply", "-f", "-", stdin=json.dumps(bodies))
        bench.wait("the nodes are Ready", lambda: bench.kubectl(plane, "get", "nodes").count(" Ready") == nodes)
        yield
    finally:
        for name in ("kwok", "kube-scheduler"):
            process.stop(plane.directory, name)


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


def ready(plane: ControlPlane) -> int:
    """How many services are Ready."""
    conditions = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}'
    return bench.kubectl(plane, "get", "wsvc", "-A", "-o", f"jsonpath={conditions}").count("True")


if __name__ == "__main__":
    main()
