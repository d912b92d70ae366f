"""A real kube-apiserver with etcd and the controller manager: what the operator talks to."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from kubernetes import client, config

from hack.cluster import binaries, controlplane
from hack.cluster.controlplane import ControlPlane
from tests.e2e.kubectl import Kubectl
from whisper_operator.cluster import Cluster

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


@pytest.fixture
def configuration(plane: ControlPlane, kubectl: Kubectl) -> client.Configuration:
    found = client.Configuration()
    config.load_kube_config(str(plane.kubeconfig), client_configuration=found)
    return found


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
