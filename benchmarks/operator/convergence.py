"""Measures how fast the operator converges, and its requests and memory at rest: `make bench-operator`.

Each figure comes from the API server's audit log; the processes' CPU time shows which of them bounds it.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.operator import clients
from testbed import audit, operator_plane
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR, OperatorProcess, component_cpu_seconds
from whisper_operator.observe.records import Key

CHANGES: Final = 50
DRIFTED: Final = 100
LIMIT_SECONDS: Final = 7200
"""For one row: ten thousand services take more than half an hour."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--namespaces", type=int, default=1, help="1: `default`, as others were measured")
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--rest-seconds", type=int, default=60)
    parser.add_argument(
        "--controllers",
        default="*",
        help="of kube-controller-manager, as it takes them; it makes 20 requests a second, so that ten thousand "
        "Deployments keep it busy for most of an hour: `*,-deployment-controller` goes on without it",
    )
    parsed = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        operator_plane.running(Path(directory), controllers=parsed.controllers) as plane,
    ):
        operator = OperatorProcess(plane, workers=parsed.workers)
        operator.start()
        operator_plane.wait_until("the operator leads", lambda: operator.identity in _holder(plane))
        ConvergenceBenchmark(
            plane, operator, _keys(plane, parsed.services, parsed.namespaces), parsed.rest_seconds
        ).run()
        operator.stop()


def _keys(plane: ControlPlane, services: int, namespaces: int) -> list[Key]:
    """Keys of the services, spread over the namespaces, which this creates."""
    if namespaces == 1:
        return [("default", f"s{number}") for number in range(services)]
    for number in range(namespaces):
        operator_plane.kubectl(plane, "create", "namespace", f"team-{number}")
    return [(f"team-{number % namespaces}", f"s{number}") for number in range(services)]


def _holder(plane: ControlPlane) -> str:
    return operator_plane.kubectl(
        plane, "get", "lease", "whisper-operator", "--ignore-not-found", "-o", "jsonpath={.spec.holderIdentity}"
    )


class ConvergenceBenchmark:
    """Measures the rows of the table one after another on one control plane, and prints each."""

    def __init__(self, plane: ControlPlane, operator: OperatorProcess, keys: Sequence[Key], rest_seconds: int) -> None:
        self._plane = plane
        self._operator = operator
        self._keys = keys
        self._rest_seconds = rest_seconds

    def run(self) -> None:
        namespaces = len({namespace for namespace, _ in self._keys})
        print(
            f"{len(self._keys)} services in {namespaces} namespaces; "
            f"{os.cpu_count()} processors shared by etcd, API server, controllers and this benchmark\n"
        )
        for row in (self.creation, self.rest, self.restart, self.drift, self.latency, self.template):
            row()
        print(f"{'peak memory':24}{self._operator.peak_mib:8.0f} MiB")

    def creation(self) -> float:
        """Children that are written in a second."""
        since, cost = self._mark(), CpuUsage(self._plane, self._operator)
        started = time.time()
        asyncio.run(
            clients.create_all(
                self._plane, [operator_plane.service_manifest(name, namespace) for namespace, name in self._keys]
            )
        )
        submitted = time.time() - started
        found = audit.until_quiet(self._plane.audit_log, OPERATOR, since, limit=LIMIT_SECONDS)
        children = [one for one in found if one.resource != "whisperservices" and one.resource != "events"]
        first, last = min(one.received for one in found), max(one.answered for one in children)
        status = collections.Counter(one.name for one in found if one.resource == "whisperservices")
        reads = [one for one in audit.requests(self._plane.audit_log, OPERATOR, since) if one.verb == "get"]
        self._print_row(
            "creation",
            last - first,
            f"{len(children) / (last - first):.0f} children/s, {len(children)} writes of children, "
            f"{max(status.values())} of status at most, "
            f"{sum(one.resource[0] != '/' for one in reads)} reads of objects; submitted in {submitted:.0f} s",
            cost,
        )
        print(f"{'':24}{json.dumps(audit.by_verb([*reads, *found]))}")
        return len(children) / (last - first)

    def rest(self) -> None:
        since = self._mark()
        time.sleep(self._rest_seconds)
        found = list(audit.requests(self._plane.audit_log, OPERATOR, since))
        written = audit.writes_among(found)
        self._print_row("rest", self._rest_seconds, f"{len(written)} writes, {len(found) - len(written)} reads")

    def restart(self) -> None:
        self._operator.stop()
        since, started, cost = self._mark(), time.time(), None
        self._operator.start()
        cost = CpuUsage(self._plane, self._operator)
        operator_plane.wait_until("it leads again", lambda: self._operator.identity in _holder(self._plane))
        found = audit.until_quiet(self._plane.audit_log, OPERATOR, since, limit=LIMIT_SECONDS)
        listed = [one for one in audit.requests(self._plane.audit_log, OPERATOR, since) if one.verb == "list"]
        pages = sum(one.is_next_page for one in listed)
        done = max((one.answered for one in (*listed, *found)), default=started)
        self._print_row(
            "restart", done - started, f"{len(found)} writes, {len(listed) - pages} lists of {len(listed)} pages", cost
        )

    def drift(self) -> float:
        """Seconds until the last of the Services that are deleted is back."""
        since, cost, keys = self._mark(), CpuUsage(self._plane, self._operator), self._keys[:DRIFTED]
        asyncio.run(clients.delete_services(self._plane, keys))
        found = self._until_written("services", keys, since)
        removed = [one for one in audit.requests(self._plane.audit_log, "admin", since) if one.verb == "delete"]
        took = max(one.answered for one in found) - min(one.received for one in removed)
        self._print_row(f"{len(keys)} children deleted", took, f"{len(found)} writes of Services", cost)
        return took

    def latency(self) -> float:
        """Median of the seconds from one change, with everything else at rest, to its last child's write."""
        took: list[float] = []
        for key in self._keys[:CHANGES]:
            since = self._mark()
            asyncio.run(clients.patch_all(self._plane, [key], other_host))
            found = self._until_written("ingresses", [key], since)
            asked = next(one for one in audit.requests(self._plane.audit_log, "admin", since) if one.verb == "patch")
            took.append(max(one.answered for one in found) - asked.answered)
        p99 = sorted(took)[int(len(took) * 0.99)]
        self._print_row(
            "one change",
            statistics.median(took),
            f"median of {CHANGES}; p99 {p99:.3f} s, from the change to its last child's write",
        )
        return statistics.median(took)

    def template(self) -> float:
        """Seconds from a change of every pod template to the last Deployment's write."""
        since, cost = self._mark(), CpuUsage(self._plane, self._operator)
        asyncio.run(clients.patch_all(self._plane, self._keys, lambda _: {"language": "en"}))
        found = self._until_written("deployments", self._keys, since)
        asked = next(one for one in audit.requests(self._plane.audit_log, "admin", since) if one.verb == "patch")
        # What follows is the pace of Kubernetes' own controllers, which make 20 requests a second by default.
        codes = dict(collections.Counter(one.code for one in found))
        took = max(one.answered for one in found) - asked.received
        self._print_row("template of all", took, f"{len(found)} writes of Deployments, by their answers {codes}", cost)
        return took

    def _until_written(self, resource: str, keys: Iterable[Key], since: int) -> list[audit.AuditedRequest]:
        """The operator's writes of `resource`, once one has succeeded for each key."""
        found: list[audit.AuditedRequest] = []
        wanted = {name for _, name in keys}
        log = audit.AuditLogReader(self._plane.audit_log, OPERATOR, since)

        def are_there() -> bool:
            found.extend(one for one in audit.writes_among(log.read()) if one.resource == resource)
            return {one.name for one in found if one.code < 300} >= wanted

        operator_plane.wait_until(f"the {resource} are written", are_there, limit=LIMIT_SECONDS)
        return found

    def _mark(self) -> int:
        return self._plane.audit_log.stat().st_size

    def _print_row(self, row: str, seconds: float, text: str, cost: CpuUsage | None = None) -> None:
        print(f"{row:24}{seconds:8.3f} s  {text}" + (f"\n{'':24}{cost.since()}" if cost else ""), flush=True)


def other_host(name: str) -> dict[str, Any]:
    return {"ingress": {"host": f"other-{name}.example.com"}}


class CpuUsage:
    """CPU time of each process since this object was created; one that uses a whole processor bounds the row."""

    def __init__(self, plane: ControlPlane, operator: OperatorProcess) -> None:
        self._plane, self._operator = plane, operator
        self._started, self._before = time.monotonic(), self._now()

    def since(self) -> str:
        wall = time.monotonic() - self._started
        shares = {name: (used - self._before[name]) / wall for name, used in self._now().items()}
        return "processors used: " + ", ".join(f"{name} {share:.2f}" for name, share in shares.items())

    def _now(self) -> dict[str, float]:
        parts = ("kube-apiserver", "etcd", "kube-controller-manager")
        return {"operator": self._operator.cpu_seconds} | {
            name: component_cpu_seconds(self._plane, name) for name in parts
        }


if __name__ == "__main__":
    main()
