"""A cache that one node alone can mount, on several nodes that kwok simulates; the real scheduler places the pods."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.operator.kwok import simulated_nodes
from testbed import operator_plane
from testbed.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl, kubectl_on
from tests.support.services import patch, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

NODES = 4
REPLICAS = 3
CLASS = "disks"
NAME = "speech"


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    """Of a cluster whose nodes are all alike, with the operator."""
    with operator_plane.running(tmp_path_factory.mktemp("plane")) as plane, simulated_nodes(plane, NODES):
        operator = OperatorProcess(plane)
        operator.start()
        yield kubectl_on(plane).within("default")
        operator.stop()


def disk(name: str) -> Manifest:
    """A volume that any one node can mount, and no second one at the same time."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "100Gi"},
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": CLASS,
            "nfs": {"server": "disks.invalid", "path": "/"},
        },
    }


@pytest.fixture(scope="module")
def speech(kubectl: Kubectl) -> Kubectl:
    storage_class = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "example.com/none"}
    cache = {"storageClassName": CLASS, "accessMode": "ReadWriteOnce"}
    kubectl.apply(disk("one"), {**storage_class, "metadata": {"name": CLASS}})
    kubectl.apply(service(NAME, replicas=REPLICAS, cache=cache, rollout={"strategy": "Surge"}))
    kubectl.wait_ready(NAME, 60)
    return kubectl


def nodes(kubectl: Kubectl, component: str) -> list[str]:
    """Where the pods run, or ran."""
    return [pod["spec"].get("nodeName", "") for pod in kubectl.pods_of(NAME, component)]


def serves(kubectl: Kubectl, model: str) -> bool:
    found = kubectl.get("wsvc", NAME)
    assert found is not None
    status = found["status"]["model"]
    return status.get("name") == model and "wanted" not in status and kubectl.is_carried_out(NAME)


def test_all_pods_of_a_service_run_where_its_volume_is(speech: Kubectl) -> None:
    placed = nodes(speech, "server")
    assert (len(placed), len(set(placed))) == (REPLICAS, 1)


@pytest.mark.parametrize("model", ["tiny", "small", "medium"])
def test_a_new_model_is_fetched_and_served_there_too(speech: Kubectl, model: str) -> None:
    [node] = set(nodes(speech, "server"))
    patch(speech, NAME, {"model": {"name": model}})
    eventually(f"{model} is fetched where the volume is", lambda: nodes(speech, "prefetch")[-1:] == [node], 30)
    eventually(f"{model} is served", lambda: serves(speech, model), 60)
    assert set(nodes(speech, "server")) == {node}


def test_pods_that_are_killed_come_back_there(speech: Kubectl) -> None:
    [node] = set(nodes(speech, "server"))
    speech("delete", "pods", "-l", "app.kubernetes.io/component=server", "--wait=true")
    speech("rollout", "status", f"deployment/{NAME}", "--timeout=60s")
    assert len(set(nodes(speech, "server"))) == 1, f"they were on {node}"
