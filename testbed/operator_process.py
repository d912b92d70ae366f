"""The operator as a process of its own beside a control plane, and the processor time and memory that it takes."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from testbed.cluster import controlplane, process
from testbed.cluster.controlplane import ControlPlane, free_ports
from testbed.paths import CACHE, REPOSITORY

OPERATOR: Final = "operator"
"""The operator's user name in the audit log."""


@dataclass
class OperatorProcess:
    """`python -m whisper_operator run`, as the user `operator` of the control plane."""

    plane: ControlPlane
    server: str = ""
    """URL of the API server; empty: the plane's own. A proxy before it is another one."""
    identity: str = "operator"
    namespaces: str = ""
    workers: int = 8
    token: str = ""
    """User in whose name it makes requests; empty: the user `operator`'s, who may do everything."""
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    """More of its environment, by name without the prefix."""
    checkout: Path = REPOSITORY
    """Checkout whose code it runs: this one, or an earlier commit's to compare with."""
    metrics_port: int = 0
    health_port: int = 0

    def start(self, *flags: str) -> None:
        """Starts it and returns at once; `flags` of the command line, as `--dry-run`."""
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
        command = (sys.executable, "-m", "whisper_operator", "run", *flags)
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

    @property
    def log(self) -> str:
        return (self.plane.directory / "log" / f"{self.identity}.log").read_text()

    def last_lines(self) -> str:
        """Returns the end of its log, and whether it runs."""
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
