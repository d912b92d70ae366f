"""Contents of a campaign's cluster before the operator starts: optional APIs, a GPU node, Secrets, a StorageClass."""

from __future__ import annotations

from typing import Any, Final

import yaml

from testbed import operator_plane
from testbed.cluster import crds
from testbed.cluster.controlplane import ControlPlane
from whisper_operator.api.v1alpha1 import Manifest

NAMESPACE: Final = "campaign"
_KEYS: Final = {"team-a": "b3Blbi1zZXNhbWU="}
_CAPACITY: Final = {"cpu": "64", "memory": "512Gi", "pods": "110", "nvidia.com/gpu": "16"}


def install(plane: ControlPlane) -> None:
    """Applies all of it; returns when every API is served and pods may be scheduled to the node."""
    for file in (file for source in crds.SOURCES for file in crds.ensure(source)):
        operator_plane.kubectl(plane, "apply", "--server-side", "-f", str(file))
    operator_plane.wait_until("the optional APIs are served", lambda: operator_plane.all_crds_established(plane))
    operator_plane.kubectl(plane, "apply", "-f", "-", stdin=yaml.safe_dump_all(_manifests()))
    status = {"conditions": [{"type": "Ready", "status": "True"}], "capacity": _CAPACITY, "allocatable": _CAPACITY}
    patch = yaml.safe_dump({"status": status})
    operator_plane.kubectl(plane, "patch", "node", "gpu", "--subresource=status", "--type=merge", "-p", patch)
    # Every node begins with this taint, and the controller that would take it away does not run.
    operator_plane.kubectl(plane, "taint", "node", "gpu", "node.kubernetes.io/not-ready:NoSchedule-")


def _manifests() -> list[Manifest]:
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "gpu", "labels": {"kubernetes.io/arch": "amd64"}}},
        *(_secret(name) for name in ("speech-keys", "other-keys")),
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": "standard"},
            "provisioner": "example.com/none",
            "allowVolumeExpansion": True,
        },
    ]


def _secret(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "data": _KEYS}
