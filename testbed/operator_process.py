"""A control plane without limits on requests in flight, the operator as a process beside it, and what both cost."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from testbed import audit
from testbed.cluster import binaries, controlplane, process
from testbed.cluster.controlplane import ControlPlane, free_ports
from testbed.paths import CACHE, REPOSITORY

NO_LIMITS: Final = (
    "--max-requests-inflight=0",
    "--max-mutating-requests-inflight=0",
    "--enable-priority-and-fairness=false",
)
API_FLAGS: Final = ("--endpoint-reconciler-type=none", *NO_LIMITS)
OPERATOR: Final = "operator"
QUIET_SECONDS: Final = 10.0


@contextmanager
def running(directory: Path, *, controllers: str = "*") -> Generator[ControlPlane]:
    """The control plane, with our CRD."""
    with controlplane.running(directory, controllers=controllers, api_flags=NO_LIMITS) as plane:
        kubectl(plane, "apply", "--server-side", "-f", str(REPOSITORY / "crds"))
        wait("our API is served", lambda: is_established(plane))
        yield plane


def is_established(plane: ControlPlane) -> bool:
    """Whether every CustomResourceDefinition is; `kubectl wait` fails on one that has no conditions yet."""
    found: list[dict[str, Any]] = json.loads(kubectl(plane, "get", "crd", "-o", "json"))["items"]
    conditions: list[list[dict[str, Any]]] = [one.get("status", {}).get("conditions") or [] for one in found]
    return all(any(one["type"] == "Established" and one["status"] == "True" for one in of) for of in conditions)


def kubectl(plane: ControlPlane, *arguments: str, stdin: str | None = None) -> str:
    command = (str(binaries.ensure("kubectl") / "kubectl"), "--kubeconfig", str(plane.kubeconfig), *arguments)
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True).stdout


@dataclass
class OperatorProcess:
    """`python -m whisper_operator run`, as the user `operator` of the control plane."""

    plane: ControlPlane
    server: str = ""
    """Where it finds the API server; the plane's own, or a proxy before it."""
    identity: str = "bench"
    namespaces: str = ""
    workers: int = 8
    token: str = ""
    """Whose requests it makes; empty: the user `operator`'s, who may do everything."""
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    """More of its environment, by name without the prefix."""
    checkout: Path = REPOSITORY
    """Whose code it runs: this checkout's, or an earlier commit's to compare with."""
    metrics_port: int = 0
    health_port: int = 0

    def start(self) -> None:
        kubeconfig = self.plane.directory / f"{self.identity}.kubeconfig"
        controlplane.write_kubeconfig(self.plane, kubeconfig, OPERATOR)
        config = json.loads(kubeconfig.read_text())
        config["clusters"][0]["cluster"]["server"] = self.server or self.plane.server
        config["users"][0]["user"]["token"] = self.token or controlplane.token(self.plane.directory, OPERATOR)
        kubeconfig.write_text(json.dumps(config))
        self.metrics_port, self.health_port = free_ports(2)
        settings = {
            "RUNTIME_IMAGE": "runtime:1",
            "NAMESPACE": "default",
            "IDENTITY": self.identity,
            "HOST": "127.0.0.1",
            "METRICS_PORT": str(self.metrics_port),
            "HEALTH_PORT": str(self.health_port),
            "WATCH_NAMESPACES": self.namespaces,
            "WORKERS": str(self.workers),
            **self.settings,
        }
        env = {f"WHISPER_OPERATOR_{name}": value for name, value in settings.items()}
        path = ":".join(str(self.checkout / part) for part in ("operator", "runtime"))
        command = (sys.executable, "-m", "whisper_operator", "run")
        python = {
            "PYTHONPATH": path,
            # As in the image: what is imported is compiled already.
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(CACHE / "pycache"),
        }
        process.start(self.plane.directory, self.identity, command, {**env, **python, "KUBECONFIG": str(kubeconfig)})

    def stop(self) -> None:
        process.stop(self.plane.directory, self.identity)

    def kill(self) -> None:
        """As a node that loses power does; the Lease stays with the dead until it expires."""
        os.kill(self.pid, 9)
        process.stop(self.plane.directory, self.identity)

    @property
    def pid(self) -> int:
        return int((self.plane.directory / "pid" / self.identity).read_text().split()[0])

    @property
    def is_running(self) -> bool:
        return process.is_running(self.plane.directory, self.identity)

    def last_lines(self) -> str:
        """Of its log; and whether it runs."""
        lines = process.last_lines(self.plane.directory, self.identity)
        return lines if self.is_running else f"{lines}\n  it has ended"

    @property
    def peak_mib(self) -> float:
        """Largest resident memory so far."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0

    @property
    def cpu_seconds(self) -> float:
        return cpu_seconds(self.pid)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used (fields 14 and 15 of /proc/<pid>/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def component_cpu_seconds(plane: ControlPlane, name: str) -> float:
    return cpu_seconds(int((plane.directory / "pid" / name).read_text().split()[0]))


def writes(plane: ControlPlane, since: int = 0) -> list[audit.Request]:
    return writes_among(audit.requests(plane.audit_log, OPERATOR, since))


def writes_among(requests: Iterable[audit.Request]) -> list[audit.Request]:
    return [one for one in requests if one.verb in audit.WRITES]


def until_quiet(plane: ControlPlane, since: int, limit: float, quiet: float = QUIET_SECONDS) -> list[audit.Request]:
    """The operator's writes until none has come for `quiet` seconds; raises TimeoutError after `limit`."""
    started, log = time.time(), audit.Reader(plane.audit_log, OPERATOR, since)
    found: list[audit.Request] = []
    while True:
        time.sleep(min(1.0, quiet / 4))
        found += writes_among(log.read())
        last = max((one.answered for one in found), default=started)
        if time.time() - last > quiet:
            return found
        if time.time() - started > limit:
            raise TimeoutError(f"still writing after {limit:.0f} s: {by_verb(found)}, the last {found[-1:]}")


def wait(what: str, holds: Callable[[], bool], limit: float = 120) -> None:
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > limit:
            raise TimeoutError(f"not within {limit:.0f} s: {what}")
        time.sleep(0.5)


def service(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    """A WhisperService with eight children, whose pods need no volume: there is no node."""
    return {
        "apiVersion": "whisper-operator.io/v1alpha1",
        "kind": "WhisperService",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "model": {"name": "base"},
            "cache": {"type": "EmptyDir"},
            "ingress": {"className": "nginx", "host": f"{name}.example.com"},
            "autoscaling": {"minReplicas": 1},
            "disruption": {"maxUnavailable": 1},
            "networkPolicy": {"allowTo": [{}]},
            **spec,
        },
    }


def by_verb(found: Iterable[audit.Request]) -> dict[str, int]:
    """Requests by verb and resource, most frequent first."""
    counts: dict[str, int] = {}
    for one in found:
        verb = "next page of" if one.is_next_page else one.verb
        key = f"{verb} {one.resource}{'/' + one.subresource if one.subresource else ''}"
        counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: -item[1]))
