"""A cache that is full, read-only or gone says so, with what is missing and what to do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.kubectl import Kubectl
from tests.support.services import mirrored_service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

pytestmark = pytest.mark.long

SMALL = "size=48m,mode=1777"
"""Less than tiny.en has; everybody may write, as a provisioner's volume lets them by fsGroup."""


def volume(name: str, path: Path, node: str) -> Manifest:
    """A directory of the node as a volume, for the claim of its name."""
    is_node = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteMany"],
            "storageClassName": name,
            "persistentVolumeReclaimPolicy": "Retain",
            "local": {"path": str(path)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [is_node]}},
        },
    }


def claim(name: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": name,
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }


@contextmanager
def serving_from(kubectl: Kubectl, path: Path, name: str) -> Iterator[Kubectl]:
    """A service of that name whose models lie in a directory of the node."""
    node = kubectl.list("nodes")[0]["metadata"]["labels"]["kubernetes.io/hostname"]
    kubectl.apply(volume(f"{kubectl.namespace}-{name}", path, node))
    kubectl.apply(claim(f"{kubectl.namespace}-{name}"))
    kubectl.apply(mirrored_service(name, cache={"existingClaim": f"{kubectl.namespace}-{name}"}))
    yield kubectl
    kubectl("delete", "wsvc", name, "--wait=true")
    kubectl("delete", "pvc", f"{kubectl.namespace}-{name}", "--wait=true")
    kubectl("delete", "pv", f"{kubectl.namespace}-{name}", "--wait=true")


@contextmanager
def mounted(path: Path, options: str) -> Iterator[Path]:
    path.mkdir()
    subprocess.run(("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)), check=True)
    yield path
    subprocess.run(("umount", "--lazy", str(path)), check=True)


def tells(kubectl: Kubectl, name: str, kind: str, reason: str) -> str:
    """The message, once the condition has that reason."""
    eventually(f"{kind} is {reason}", lambda: kubectl.condition(name, kind).get("reason") == reason, 180)
    return kubectl.condition(name, kind)["message"]


def test_a_full_volume_names_the_bytes_that_are_missing(namespace: Kubectl, tmp_path: Path) -> None:
    with mounted(tmp_path / "full", SMALL) as path, serving_from(namespace, path, "full"):
        message = tells(namespace, "full", "ModelCached", "NoSpace")
        assert "are missing" in message
        assert list(path.glob("*.pt")) == []


def test_a_volume_that_cannot_be_written_is_named(namespace: Kubectl, tmp_path: Path) -> None:
    with mounted(tmp_path / "sealed", f"ro,{SMALL}") as path, serving_from(namespace, path, "sealed"):
        assert "Read-only file system" in tells(namespace, "sealed", "ModelCached", "CacheNotWritable")


def test_a_volume_that_is_gone_is_named_and_who_serves_already_goes_on(namespace: Kubectl, tmp_path: Path) -> None:
    path = tmp_path / "gone"
    path.mkdir(mode=0o777)
    path.chmod(0o777)
    with serving_from(namespace, path, "gone"):
        namespace.wait_ready("gone")
        path.rename(tmp_path / "elsewhere")
        namespace("scale", "wsvc", "gone", "--replicas=2")
        assert str(path) in tells(namespace, "gone", "Available", "FailedMount")
        assert (namespace.get("wsvc", "gone") or {})["status"]["readyReplicas"] == 1
        (tmp_path / "elsewhere").rename(path)
        eventually("two pods serve", lambda: (namespace.get("wsvc", "gone") or {})["status"]["readyReplicas"] == 2, 300)
