"""The cluster's add-ons: DNS, metrics, volumes."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Final

from testbed.cluster import binaries, images, node
from testbed.cluster.process import ComponentFailed
from testbed.paths import CLUSTER, KUBECONFIG

MANIFESTS: Final = Path(__file__).parent / "manifests"
DEPLOYMENTS: Final = (
    ("kube-system", "coredns"),
    ("kube-system", "metrics-server"),
    ("local-path-storage", "local-path-provisioner"),
)
READY_SECONDS: Final = 120


def install() -> None:
    """Applies the manifests; they are there when `wait` returns."""
    values = {
        "${TOOLS_IMAGE}": images.tools_reference(),
        "${DNS_ADDRESS}": node.DNS_ADDRESS,
        "${VOLUMES}": str(CLUSTER / "volumes"),
    }
    for file in sorted(MANIFESTS.glob("*.yaml")):
        manifest = file.read_text()
        for name, value in values.items():
            manifest = manifest.replace(name, value)
        kubectl("apply", "--server-side", "-f", "-", stdin=manifest)


def wait() -> None:
    """Returns once the node is Ready and each part answers; raises ComponentFailed with what it waits for."""
    _wait_for_node()
    for namespace, name in DEPLOYMENTS:
        kubectl("-n", namespace, "rollout", "status", f"deployment/{name}", f"--timeout={READY_SECONDS}s")
    kubectl("wait", "--for=condition=Available", "apiservice/v1beta1.metrics.k8s.io", f"--timeout={READY_SECONDS}s")


def _wait_for_node() -> None:
    """The kubelet registers the node; `kubectl wait` fails for one that is not there yet."""
    deadline = time.monotonic() + READY_SECONDS
    while not kubectl("get", "node", node.NAME, "--ignore-not-found", "-o", "name"):
        if time.monotonic() > deadline:
            raise ComponentFailed(f"the kubelet did not register the node; see {CLUSTER / 'log/kubelet.log'}")
        time.sleep(0.2)
    kubectl("wait", "--for=condition=Ready", f"node/{node.NAME}", f"--timeout={READY_SECONDS}s")


def kubectl(*arguments: str, stdin: str | None = None) -> str:
    """Standard output; raises ComponentFailed with what kubectl said."""
    command = (str(binaries.ensure("kubectl") / "kubectl"), "--kubeconfig", str(KUBECONFIG), *arguments)
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ComponentFailed(f"kubectl {' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout
