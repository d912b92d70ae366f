"""Counts the operator's requests at rest and after a restart: `python -m benchmarks.operator.rest`.

A thousand services, all Ready, on nodes that kwok simulates; the requests come from the API server's audit log.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

from benchmarks.operator.clients import create_all
from benchmarks.operator.kwok import PODS_PER_NODE, simulated_nodes
from testbed import audit, operator_plane
from testbed.cluster import process
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR, OperatorProcess

RESTART_SECONDS = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=600)
    parsed = parser.parse_args()
    names = [f"s{number}" for number in range(parsed.services)]
    nodes = 1 + len(names) // PODS_PER_NODE
    with (
        tempfile.TemporaryDirectory() as directory,
        operator_plane.running(Path(directory)) as plane,
        simulated_nodes(plane, nodes),
    ):
        operator = OperatorProcess(plane)
        operator.start()
        started = time.time()
        asyncio.run(create_all(plane, [operator_plane.service_manifest(name) for name in names]))
        operator_plane.wait_until("every service is Ready", lambda: ready(plane) == len(names), limit=1800)
        print(f"{len(names)} services Ready after {time.time() - started:.0f} s", flush=True)
        # Autoscalers judge for the first time after their first periods of 15 s; then all is at rest.
        audit.until_quiet(plane.audit_log, OPERATOR, 0, limit=600, quiet=30)
        observe(operator, parsed.seconds, "at rest")
        operator.stop()
        operator.start()
        observe(operator, min(RESTART_SECONDS, parsed.seconds), "after a restart")
        print(f"peak memory {operator.peak_mib:.0f} MiB")
        operator.stop()


def observe(operator: OperatorProcess, seconds: int, when: str) -> None:
    """Prints its requests within `seconds`, those of the Lease excepted; raises ComponentFailed when it has ended."""
    log = operator.plane.audit_log
    since = log.stat().st_size
    time.sleep(seconds)
    if not operator.is_running:
        raise process.ComponentFailed(f"the operator ended {when}:\n{operator.last_lines()}")
    found = list(audit.requests(log, OPERATOR, since))
    if not found:
        raise ValueError("the audit log shows nothing of the operator, not even its poll of /apis")
    written = audit.writes_among(found)
    print(f"{when}: {len(written)} writes in {seconds} s; requests: {json.dumps(audit.by_verb(found))}", flush=True)


def ready(plane: ControlPlane) -> int:
    """How many services are Ready."""
    conditions = '{range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}'
    return operator_plane.kubectl(plane, "get", "wsvc", "-A", "-o", f"jsonpath={conditions}").count("True")


if __name__ == "__main__":
    main()
