"""A real kube-apiserver with etcd and the controller manager, and the operator as a process beside it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest
from kubernetes import client, config

from testbed.cluster import controlplane, crds
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.optional_apis import install, with_our_api

STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "standard", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "example.com/none",
}

ALL_ALLOWED = '{"exemptNamespaces": ["*"]}'
"""The policy of an installation without tenants."""


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    # Without a node no Job would ever complete: tests write a Job's status, and no controller contradicts them.
    with controlplane.running(tmp_path_factory.mktemp("plane"), controllers="*,-job-controller") as running:
        yield running


@pytest.fixture(scope="session")
def kubectl(plane: ControlPlane) -> Kubectl:
    """kubectl on the control plane, with our CRD established."""
    return with_our_api(plane)


@pytest.fixture
def namespace(kubectl: Kubectl) -> Kubectl:
    """kubectl in a namespace of the test's own."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return kubectl.within(name)


@pytest.fixture(scope="session")
def configuration(plane: ControlPlane, kubectl: Kubectl) -> client.Configuration:
    found = client.Configuration()
    config.load_kube_config(str(plane.kubeconfig), client_configuration=found)
    return found


@pytest.fixture(scope="session")
def optional_apis(kubectl: Kubectl) -> None:
    """The APIs that a cluster may lack, from the first test on that needs them; what is without them is tried by
    installation/test_optional_kinds.py, on another cluster."""
    install(kubectl, [file for source in crds.SOURCES for file in crds.ensure(source)])


@pytest.fixture(scope="module")
def running(plane: ControlPlane, kubectl: Kubectl) -> Iterator[OperatorProcess]:
    """The operator as a process that watches the whole cluster, which has a default StorageClass."""
    kubectl("apply", "-f", "-", stdin=json.dumps(STORAGE_CLASS))
    found = OperatorProcess(plane, settings={"DISCOVERY_SECONDS": "1", "POLICY": ALL_ALLOWED})
    found.start()
    yield found
    found.stop()
    kubectl("delete", "storageclass", "standard")
