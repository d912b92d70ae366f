"""GPUs that the node says it has: the scheduler counts them, and a service of `device: cpu` does not use them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from testbed.cluster import images, node
from tests.support.kubectl import Kubectl
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

RESOURCE = "nvidia.com/gpu"
ON_CPU = {"device": "cpu", "gpu": {}}
"""A spec that takes a GPU's place and works on the processor."""


def offer(kubectl: Kubectl, count: int) -> None:
    """The node has `count` GPUs from now on, as a device plugin would tell."""
    _patch(kubectl, "add", str(count))
    eventually(f"{count} GPUs are allocatable", lambda: _allocatable(kubectl) == str(count), 30)


@contextmanager
def offered(kubectl: Kubectl, count: int) -> Iterator[None]:
    """`count` GPUs until the block ends, then none."""
    offer(kubectl, count)
    try:
        yield
    finally:
        _patch(kubectl, "remove")


def holder(name: str) -> Manifest:
    """A pod of somebody else's that takes a GPU, past the scheduler: it is bound by whoever makes it."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "nodeName": node.NAME,
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [
                {
                    "name": "holder",
                    "image": images.tools_reference(),
                    "imagePullPolicy": "Never",
                    "command": ["/bin/sleep", "3600"],
                    "resources": {"limits": {RESOURCE: "1"}},
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                }
            ],
        },
    }


def _patch(kubectl: Kubectl, operation: str, value: str | None = None) -> None:
    paths = (f"/status/{field}/{RESOURCE.replace('/', '~1')}" for field in ("capacity", "allocatable"))
    patch = [{"op": operation, "path": path, **({"value": value} if value else {})} for path in paths]
    kubectl("patch", "node", node.NAME, "--subresource=status", "--type=json", "-p", json.dumps(patch))


def _allocatable(kubectl: Kubectl) -> str | None:
    found = kubectl.get("node", node.NAME)
    assert found is not None
    return found["status"]["allocatable"].get(RESOURCE)
