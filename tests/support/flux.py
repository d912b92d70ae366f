"""Flux's source-controller and kustomize-controller as processes beside an API server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from testbed.cluster import binaries, process
from testbed.cluster.controlplane import ControlPlane, free_ports
from tests.support.kubectl import Kubectl

NAMESPACE: Final = "flux-system"
SOURCES, KUSTOMIZATIONS = "source-controller", "kustomize-controller"
REQUESTED: Final = "reconcile.fluxcd.io/requestedAt"
"""The annotation by which `flux reconcile` asks for a look before the interval is over."""


@contextmanager
def running(plane: ControlPlane, directory: Path) -> Iterator[None]:
    """Both controllers; `directory`: of the artifacts, which the one serves to the other."""
    programs = binaries.ensure(SOURCES, KUSTOMIZATIONS)
    address = f"127.0.0.1:{free_ports(1)[0]}"
    storage = (f"--storage-path={directory}", f"--storage-addr={address}", f"--storage-adv-addr={address}")
    env = {"KUBECONFIG": str(plane.kubeconfig), "RUNTIME_NAMESPACE": NAMESPACE}
    for name, more in ((SOURCES, storage), (KUSTOMIZATIONS, ())):
        common = ("--metrics-addr=0", "--health-addr=0", "--enable-leader-election=false")
        process.start(plane.directory, name, (str(programs / name), *common, *more), env)
    try:
        yield
    finally:
        for name in (KUSTOMIZATIONS, SOURCES):
            process.stop(plane.directory, name)


def ask(kubectl: Kubectl, kind: str, name: str) -> None:
    """As `flux reconcile` does: the object is reconciled at once."""
    kubectl("annotate", kind, name, f"{REQUESTED}={time.time()}", "--overwrite")


def condition(kubectl: Kubectl, kind: str, name: str, of: str) -> dict[str, Any]:
    """The condition of that type; empty where there is none."""
    conditions = ((kubectl.get(kind, name) or {}).get("status") or {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == of), {})


def has_handled_its_request(kubectl: Kubectl, kind: str, name: str) -> bool:
    """Whether what `ask` asked for last has been done."""
    body = kubectl.get(kind, name) or {"metadata": {}}
    asked = body["metadata"].get("annotations", {}).get(REQUESTED)
    return asked is not None and body.get("status", {}).get("lastHandledReconcileAt") == asked
