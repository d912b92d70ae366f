"""python3 -m testbed.operator_plane: a control plane with our CRD, for a developer, for tests and for benchmarks.

It has no node and no limits on requests in flight.
"""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from testbed.cluster import binaries, controlplane
from testbed.cluster.controlplane import ControlPlane
from testbed.paths import REPOSITORY

NO_LIMITS: Final = (
    "--max-requests-inflight=0",
    "--max-mutating-requests-inflight=0",
    "--enable-priority-and-fairness=false",
)
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
API_FLAGS: Final = ("--endpoint-reconciler-type=none", *NO_LIMITS)


def main() -> None:
    """Runs a control plane until Ctrl-C or SIGTERM."""
    with tempfile.TemporaryDirectory() as directory, running(Path(directory)) as plane:
        print(f"export KUBECONFIG={plane.kubeconfig} PATH={binaries.ensure('kubectl')}:$PATH", flush=True)
        # Blocked from here on alone: a program that is started inherits the mask, and could not be stopped.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        signal.sigwait(STOP_SIGNALS)


@contextmanager
def running(directory: Path, *, controllers: str = "*") -> Generator[ControlPlane]:
    """The control plane with our CRD established; stopped and emptied when the block ends.

    `controllers`: what kube-controller-manager runs, as its flag of that name takes it.
    """
    with controlplane.running(directory, controllers=controllers, api_flags=NO_LIMITS) as plane:
        serve_our_api(plane)
        yield plane


def serve_our_api(plane: ControlPlane, checkout: Path = REPOSITORY) -> None:
    """Applies the CRD of that checkout, over that of another where there is one, and waits until it is served."""
    kubectl(plane, "apply", "--server-side", "--force-conflicts", "-f", str(checkout / "crds"))
    wait_until("our API is served", lambda: all_crds_established(plane))


def all_crds_established(plane: ControlPlane) -> bool:
    """Whether every CustomResourceDefinition is; `kubectl wait` fails on one that has no conditions yet."""
    found: list[dict[str, Any]] = json.loads(kubectl(plane, "get", "crd", "-o", "json"))["items"]
    conditions: list[list[dict[str, Any]]] = [one.get("status", {}).get("conditions") or [] for one in found]
    return all(any(one["type"] == "Established" and one["status"] == "True" for one in of) for of in conditions)


def kubectl(plane: ControlPlane, *arguments: str, stdin: str | None = None) -> str:
    """Standard output; raises CalledProcessError, whose `stderr` is the API server's answer."""
    command = (str(binaries.ensure("kubectl") / "kubectl"), "--kubeconfig", str(plane.kubeconfig), *arguments)
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True).stdout


def apply(plane: ControlPlane, *manifests: dict[str, Any]) -> None:
    """As `kubectl apply` of all of them."""
    kubectl(plane, "apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests}))


def wait_until(what: str, holds: Callable[[], bool], limit: float = 120) -> None:
    """Blocks until `holds()`; raises TimeoutError, which names `what`, after `limit` seconds."""
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > limit:
            raise TimeoutError(f"not within {limit:.0f} s: {what}")
        time.sleep(0.5)


def service_manifest(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
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


if __name__ == "__main__":
    main()
