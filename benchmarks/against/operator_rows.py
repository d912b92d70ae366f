"""Rows of the operator: creation, restart and memory on a real API server, pods of others beside a GPU service."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.against.checkouts import Builds
from benchmarks.against.samples import BuildSamples
from benchmarks.operator import clients
from benchmarks.operator.convergence import DRIFTED, ConvergenceBenchmark
from testbed import audit, operator_plane
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR, OperatorProcess
from testbed.paths import REPOSITORY
from whisper_operator.objects.kinds import POD

LIMIT_SECONDS: Final = 3600
IDLE_SECONDS: Final = 15.0
BUSY_SHARE: Final = 0.1
"""Part of a processor that an idle operator may use; watches, their heartbeat and the Lease take a few hundredths."""
NO_NODE_CONTROLLERS: Final = "*,-pod-garbage-collector-controller,-node-lifecycle-controller"
"""The pods of others are on nodes that are not there, and the one with GPUs has no kubelet: both are to stay."""


def settled_pass(builds: Builds, rounds: int) -> BuildSamples:
    """Milliseconds of processor time that a pass takes which has nothing to do, each time in a process of its own."""
    found = BuildSamples("processor milliseconds of a settled pass")
    for name, checkout in builds.in_turns(rounds):
        path = [checkout / "operator", checkout / "runtime", REPOSITORY]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))}
        command = (sys.executable, "-m", "benchmarks.against.passes", str(checkout / "examples/everything.yaml"))
        found.add(name, float(subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout))
    return found


def convergence(builds: Builds, services: int, rounds: int) -> list[BuildSamples]:
    """The rows of `make bench-operator` with that many services; each time on an API server of its own.

    The last two are what the change of the templates costs: unlike its seconds, they depend little on other programs of
    the machine.
    """
    created = BuildSamples(f"children/s while {services} services are created", higher_is_better=True)
    restored = BuildSamples(f"seconds until {DRIFTED} deleted Services are back")
    changed = BuildSamples("seconds of one change at rest")
    template = BuildSamples(f"seconds of a change of the pod templates of {services} services")
    spent = BuildSamples("processor milliseconds of the operator for each of these")
    allocated = BuildSamples("thousand allocations of the API server for each of these")
    keys = [("default", f"s{number}") for number in range(services)]
    for name, checkout in builds.in_turns(rounds):
        with _plane() as plane, _operator(plane, checkout) as operator:
            benchmark = ConvergenceBenchmark(plane, operator, keys, rest_seconds=0)
            created.add(name, benchmark.creation())
            restored.add(name, benchmark.drift())
            changed.add(name, benchmark.latency())
            seconds, allocations = operator.cpu_seconds, _allocations(plane)
            template.add(name, benchmark.template())
            spent.add(name, (operator.cpu_seconds - seconds) / services * 1000)
            allocated.add(name, (_allocations(plane) - allocations) / services / 1000)
    return [created, restored, changed, template, spent, allocated]


def restart(builds: Builds, services: int, rounds: int) -> tuple[BuildSamples, BuildSamples]:
    """Processor seconds and peak memory of a start beside that many services, all of them settled."""
    seconds, memory = BuildSamples("processor seconds of a restart"), BuildSamples("peak memory in MiB after a restart")
    with _plane() as plane:
        with _operator(plane, builds.now):
            since = plane.audit_log.stat().st_size
            wanted = [operator_plane.service_manifest(f"s{number}") for number in range(services)]
            asyncio.run(clients.create_all(plane, wanted))
            audit.until_quiet(plane.audit_log, OPERATOR, since, limit=LIMIT_SECONDS)
        for name, checkout in builds.in_turns(rounds):
            # The first start writes what the two builds say differently; the second one finds all as it left it.
            for is_measured in (False, True):
                since = _mark(plane)
                with _operator(plane, checkout) as operator:
                    _wait_until_idle(operator)
                    if is_measured:
                        written = audit.writes(plane.audit_log, OPERATOR, since)
                        assert not written, f"a restart wrote {audit.by_verb(written)}"
                        seconds.add(name, operator.cpu_seconds)
                        memory.add(name, operator.peak_mib)
    return seconds, memory


def pods_of_others(builds: Builds, pods: int, rounds: int) -> BuildSamples:
    """MiB that a change of a GPU service's pods takes beside that many pods of others more than beside none."""
    found = BuildSamples(f"MiB more beside {pods} pods of others")
    for name, checkout in builds.in_turns(rounds):
        with _plane(controllers=NO_NODE_CONTROLLERS) as plane, _operator(plane, checkout) as operator:
            _add_gpu_node(plane)
            asyncio.run(clients.create_all(plane, [operator_plane.service_manifest("gpu", gpu={})]))
            _settle(plane)
            _change(plane, "en")
            beside_none = operator.peak_mib
            asyncio.run(clients.each(plane, range(pods), lambda cluster, number: cluster.create(POD, _pod(number))))
            _change(plane, "fr")
            found.add(name, operator.peak_mib - beside_none)
    return found


def _wait_until_idle(operator: OperatorProcess) -> None:
    """Returns once the operator has used no processor for some seconds: its lists, its passes and its writes are done.

    Its metrics would say so too, and each scrape beside thousands of services costs time and memory.
    """
    used, since, started = operator.cpu_seconds, time.monotonic(), time.monotonic()
    while time.monotonic() - since < IDLE_SECONDS:
        time.sleep(1)
        before, used = used, operator.cpu_seconds
        if used - before > BUSY_SHARE:
            since = time.monotonic()
        if time.monotonic() - started > LIMIT_SECONDS:
            raise TimeoutError(f"the operator still works after {LIMIT_SECONDS} s")


def _change(plane: ControlPlane, language: str) -> None:
    """Changes the pods' template, for which the rollout has to be decided anew."""
    asyncio.run(clients.patch_all(plane, [("default", "gpu")], lambda _: {"language": language}))
    words = f"name: WHISPER_LANGUAGE\n          value: {language}"
    get = ("get", "deployment", "gpu", "--ignore-not-found", "-o", "yaml")
    operator_plane.wait_until(f"the pods' language is {language}", lambda: words in operator_plane.kubectl(plane, *get))


def _allocations(plane: ControlPlane) -> float:
    """Allocations of the API server's process since its start."""
    found = re.search(
        r"^go_memstats_mallocs_total (\S+)$", operator_plane.kubectl(plane, "get", "--raw", "/metrics"), re.M
    )
    if found is None:
        raise ValueError("the API server's metrics have no go_memstats_mallocs_total")
    return float(found[1])


def _settle(plane: ControlPlane) -> None:
    audit.until_quiet(plane.audit_log, OPERATOR, _mark(plane), limit=LIMIT_SECONDS)


def _mark(plane: ControlPlane) -> int:
    return plane.audit_log.stat().st_size


@contextmanager
def _plane(controllers: str = "*") -> Generator[ControlPlane]:
    with (
        tempfile.TemporaryDirectory() as directory,
        operator_plane.running(Path(directory), controllers=controllers) as plane,
    ):
        yield plane


@contextmanager
def _operator(plane: ControlPlane, checkout: Path) -> Generator[OperatorProcess]:
    """The operator of that checkout, once it leads, and its CRD: an earlier build refuses what a later one defaults."""
    operator_plane.serve_our_api(plane, checkout)
    operator = OperatorProcess(plane, checkout=checkout, identity=f"bench-{time.monotonic_ns()}")
    operator.start()
    try:
        operator_plane.wait_until("the operator leads", lambda: operator.identity in _holder(plane))
        yield operator
    finally:
        operator.stop()


def _add_gpu_node(plane: ControlPlane) -> None:
    """A node with GPUs: without one the service's pods are held back, and no rollout is decided."""
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "gpus"}}
    amounts = {"cpu": "64", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": "8"}
    status = {"capacity": amounts, "allocatable": amounts, "conditions": [{"type": "Ready", "status": "True"}]}
    operator_plane.kubectl(plane, "apply", "-f", "-", stdin=json.dumps(node))
    patch = ("patch", "node", "gpus", "--type=merge", "-p")
    operator_plane.kubectl(plane, *patch, json.dumps({"status": status}), "--subresource=status")
    operator_plane.kubectl(plane, *patch, json.dumps({"spec": {"taints": None}}))


def _holder(plane: ControlPlane) -> str:
    lease = ("get", "lease", "whisper-operator", "--ignore-not-found", "-o", "jsonpath={.spec.holderIdentity}")
    return operator_plane.kubectl(plane, *lease)


def _pod(number: int) -> dict[str, Any]:
    """A pod as clusters are full of: two containers with variables, probes and volumes."""
    variables = [{"name": f"SETTING_{index}", "value": f"value-{index}-of-{number}"} for index in range(12)]
    resources = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}
    containers = [
        {
            "name": name,
            "image": f"registry.example.com/team/{name}:1.2.3",
            "env": variables,
            "resources": resources,
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080}},
            "volumeMounts": [{"name": f"volume-{index}", "mountPath": f"/mnt/{index}"} for index in range(4)],
        }
        for name in ("app", "sidecar")
    ]
    volumes: list[dict[str, Any]] = [{"name": f"volume-{index}", "emptyDir": {}} for index in range(4)]
    return {
        "apiVersion": POD.api_version,
        "kind": POD.kind,
        "metadata": {"name": f"other-{number}", "namespace": "default", "labels": {"app": "other"}},
        "spec": {"nodeName": f"node-{number % 100}", "containers": containers, "volumes": volumes},
    }
