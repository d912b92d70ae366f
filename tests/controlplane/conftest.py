"""A real kube-apiserver with etcd and the controller manager: what the operator talks to."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from kubernetes import client, config

from testbed.cluster import binaries, controlplane, crds
from testbed.cluster.controlplane import ControlPlane
from tests.support.kubectl import Kubectl
from tests.support.running import Running
from whisper_operator.kube.client import Cluster

STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "example.com/none",
}
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    # Without a node no Job would ever complete: a test says when one has, and no controller contradicts it.
    with controlplane.running(tmp_path_factory.mktemp("plane"), controllers="*,-job-controller") as running:
        yield running


@pytest.fixture(scope="session")
def kubectl(plane: ControlPlane) -> Kubectl:
    """kubectl on the control plane, with our CRD established."""
    found = Kubectl((str(binaries.ensure("kubectl") / "kubectl"), "--kubeconfig", str(plane.kubeconfig)))
    found("apply", "--server-side", "-f", str(ROOT / "crds"))
    found("wait", "--for=condition=Established", "crd/whisperservices.whisper-operator.io", "--timeout=30s")
    return found


@pytest.fixture
def namespace(kubectl: Kubectl) -> Kubectl:
    """kubectl in a namespace of the test's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    kubectl("create", "namespace", name)
    return kubectl.within(name)


@pytest.fixture(scope="session")
def configuration(plane: ControlPlane, kubectl: Kubectl) -> client.Configuration:
    found = client.Configuration()
    config.load_kube_config(str(plane.kubeconfig), client_configuration=found)
    return found


@pytest.fixture(scope="module")
def optional_apis(kubectl: Kubectl) -> Iterator[None]:
    """The APIs that a cluster may lack, while a module's tests run."""
    files = [str(file) for source in crds.SOURCES for file in crds.ensure(source)]
    install(kubectl, files)
    yield
    remove(kubectl, files)


def install(kubectl: Kubectl, files: list[str]) -> None:
    named = [argument for file in files for argument in ("-f", file)]
    kubectl("apply", "--server-side", *named)
    kubectl("wait", "--for=condition=Established", *named, "--timeout=30s")


def remove(kubectl: Kubectl, files: list[str]) -> None:
    kubectl("delete", *(argument for file in files for argument in ("-f", file)))


@pytest.fixture(scope="module")
def running(plane: ControlPlane, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The operator as a process that watches the whole cluster, which has a default StorageClass."""
    kubectl("apply", "-f", "-", stdin=json.dumps(STORAGE_CLASS))
    found = Running(plane, tmp_path_factory.mktemp("operator"))
    found.start()
    yield found
    found.stop()
    kubectl("delete", "storageclass", "standard")


@pytest.fixture
async def cluster(configuration: client.Configuration) -> AsyncIterator[Cluster]:
    opened = Cluster(configuration)
    yield opened
    await opened.close()


Eventually = Callable[[str, Callable[[], object]], Awaitable[None]]


@pytest.fixture
def eventually() -> Eventually:
    """Waits, without blocking the loop, until something holds; fails by name after a minute."""

    async def wait(what: str, holds: Callable[[], object]) -> None:
        for _ in range(600):
            if await asyncio.to_thread(holds):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"not within a minute: {what}")

    return wait
