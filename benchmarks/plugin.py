"""Times `kubectl whisper status` beside `kubectl get` where there are many services: `make bench-plugin`.

A real API server, with services whose status a real operator has written; no node, so that none is Ready and each has
to say why. Writes docs/reports/plugin.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.operator.clients import create_all
from testbed import operator_plane
from testbed.cluster import binaries
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from testbed.paths import REPOSITORY

REPORT: Final = REPOSITORY / "docs" / "reports" / "plugin.md"
PLUGIN: Final = (sys.executable, "-m", "kubectl_whisper")
GOAL_SECONDS: Final = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=9)
    parsed = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, operator_plane.running(Path(directory)) as plane:
        operator = OperatorProcess(plane)
        operator.start()
        manifests = [operator_plane.service_manifest(f"s{number}") for number in range(parsed.services)]
        asyncio.run(create_all(plane, manifests))
        operator_plane.wait_until("every service has a status", lambda: judged(plane) == len(manifests), limit=1800)
        operator.stop()
        kubectl = (str(binaries.ensure("kubectl") / "kubectl"),)
        commands = {
            "`kubectl whisper status -A`": (*PLUGIN, "status", "-A"),
            "`kubectl whisper status -A -o json`": (*PLUGIN, "status", "-A", "-o", "json"),
            "`kubectl whisper explain Ready`, which asks nobody": (*PLUGIN, "explain", "Ready"),
            "`kubectl get wsvc -A`": (*kubectl, "get", "wsvc", "-A"),
            "`kubectl get wsvc -A -o json`": (*kubectl, "get", "wsvc", "-A", "-o", "json"),
        }
        found = measure(commands, {**os.environ, "KUBECONFIG": str(plane.kubeconfig)}, parsed.runs)
    REPORT.write_text("\n".join(report(found, parsed.services)) + "\n")
    print(REPORT.read_text())


def judged(plane: ControlPlane) -> int:
    """How many services the operator has looked at."""
    path = '{range .items[*]}{.status.observedGeneration}{"\\n"}{end}'
    return len(operator_plane.kubectl(plane, "get", "wsvc", "-A", "-o", f"jsonpath={path}").split())


def measure(
    commands: Mapping[str, Sequence[str]], environment: Mapping[str, str], runs: int
) -> Mapping[str, Sequence[float]]:
    """Seconds of each run of each command, in turns; the first turn, which fills the page cache, is left out."""
    found: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
            if turn:
                found[name].append(time.perf_counter() - started)
    return found


def report(found: Mapping[str, Sequence[float]], services: int) -> Iterator[str]:
    yield f"""# `kubectl whisper` with {services:,} services

Written by `make bench-plugin`, on a machine of {os.cpu_count()} processors. The commands are measured in turns, in one
run; medians, with the smallest and the largest in brackets. The goal of `status` is {GOAL_SECONDS} s.

| command | seconds |
|---|---|"""
    for name, seconds in found.items():
        yield f"| {name} | {statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f}) |"


if __name__ == "__main__":
    main()
