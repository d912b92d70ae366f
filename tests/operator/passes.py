"""Passes over one service against an API server in memory, whose objects are all seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import yaml

from tests.fakes.cluster import FakeCluster
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.objects import names
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.observe.installation import Installation
from whisper_operator.observe.records import Key
from whisper_operator.reconcile.events import Recorder
from whisper_operator.reconcile.reconciler import Reconciler

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
INSTALLATION = Installation("registry.example.com/whisper-runtime:1.0.0")
STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "allowVolumeExpansion": True,
}


def example(name: str) -> Manifest:
    """The WhisperService of examples/<name>.yaml, as the API server has it."""
    body = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())
    return {**body, "metadata": {"namespace": "team", "uid": "uid", **body["metadata"]}}


def gpu_node(name: str) -> Manifest:
    allocatable = {"cpu": "64", "memory": "256Gi", "nvidia.com/gpu": "8"}
    status = {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": allocatable}
    metadata = {"name": name, "labels": {"kubernetes.io/arch": "amd64"}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status}


class Passes:
    def __init__(self, service: Manifest, cluster: FakeCluster) -> None:
        self.key: Key = (service["metadata"]["namespace"], service["metadata"]["name"])
        self.cluster = cluster
        self.cache = ObjectCache(whole_cluster=True)
        asked = cast(Cluster, cluster)
        self._reconciler = Reconciler(asked, self.cache, Recorder(asked, "one"), lambda: INSTALLATION)
        for body in (service, STORAGE_CLASS, gpu_node("a"), gpu_node("b")):
            cluster.put(body)
        self.see_all()

    def see_all(self) -> None:
        """Takes in everything that the API server has, as watches would."""
        for body in self.cluster.objects.values():
            if body["kind"] != "Event":
                self.cache.observe(body)

    async def run(self) -> float | None:
        """One pass."""
        return await self._reconciler.reconcile(self.key)

    async def settle(self) -> None:
        """Passes, between which Kubernetes' controllers do their work, until one writes nothing."""
        written = -1
        while len(self.cluster.writes) != written:
            written = len(self.cluster.writes)
            await self.run()
            self.cluster.play_controllers()
            self.see_all()

    @property
    def status(self) -> dict[str, Any]:
        return self.cluster.objects["WhisperService", *self.key]["status"]

    def add_pod(self, name: str) -> None:
        """A ready pod of the service's Deployment."""
        deployment = self.cluster.objects["Deployment", *self.key]
        metadata = {"name": name, "namespace": self.key[0], "labels": names.labels(self.key[1], names.SERVER)}
        conditions = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "Ready")]
        spec = {**deployment["spec"]["template"]["spec"], "nodeName": "a"}
        status = {"phase": "Running", "conditions": conditions}
        self.cluster.put({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status})
        self.see_all()


async def settled(name: str, **secrets: list[str]) -> Passes:
    """The example once it is as it should be, two pods ready."""
    found = Passes(example(name), FakeCluster(secrets={key.replace("_", "-"): keys for key, keys in secrets.items()}))
    await found.settle()
    for pod in ("one", "two"):
        found.add_pod(pod)
    await found.settle()
    return found
