"""The operator as a process of its own, under a user of its own: the audit log tells what it did."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from testbed.cluster import controlplane, process
from testbed.cluster.controlplane import ControlPlane, free_ports

USER = "operator"
NAME = "operator"


class Running:
    def __init__(self, plane: ControlPlane, directory: Path) -> None:
        self._directory = directory
        metrics_port, self._health_port = free_ports(2)
        kubeconfig = directory / "kubeconfig"
        controlplane.write_kubeconfig(plane, kubeconfig, USER)
        self._env = {
            "KUBECONFIG": str(kubeconfig),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "WHISPER_OPERATOR_RUNTIME_IMAGE": "runtime:1",
            "WHISPER_OPERATOR_NAMESPACE": "default",
            "WHISPER_OPERATOR_HOST": "127.0.0.1",
            "WHISPER_OPERATOR_METRICS_PORT": str(metrics_port),
            "WHISPER_OPERATOR_HEALTH_PORT": str(self._health_port),
            "WHISPER_OPERATOR_DISCOVERY_SECONDS": "1",
        }

    def start(self, *flags: str) -> None:
        process.start(self._directory, NAME, (sys.executable, "-m", "whisper_operator", "run", *flags), self._env)

    def stop(self) -> None:
        process.stop(self._directory, NAME)

    @property
    def log(self) -> str:
        return (self._directory / "log" / f"{NAME}.log").read_text()
