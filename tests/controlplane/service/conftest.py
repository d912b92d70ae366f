"""What tests of a service need of the cluster: classes of volumes, policies that change what is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from testbed.operator_process import OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.later_version import of_later_version
from whisper_operator.api.v1alpha1 import Manifest

REGISTRATION = "admissionregistration.k8s.io/v1"
PROVISIONERS = {"broken": "example.com/broken", "other": "example.com/none", "nfs": "nfs.csi.k8s.io"}


@pytest.fixture(scope="module")
def classes(kubectl: Kubectl) -> Iterator[None]:
    """StorageClasses, none of which makes volumes, beside the default one."""
    for name, provisioner in PROVISIONERS.items():
        body = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}}
        kubectl("apply", "-f", "-", stdin=json.dumps({**body, "provisioner": provisioner}))
    yield
    kubectl("delete", "storageclass", *PROVISIONERS)


@pytest.fixture
def policy(namespace: Kubectl) -> Iterator[Callable[[str, str, str], None]]:
    """Makes a MutatingAdmissionPolicy for a resource of the namespace: a JSON patch wherever a condition holds."""
    made: list[str] = []

    def make(resource: str, condition: str, operations: str) -> None:
        name = f"{namespace.namespace}-{len(made)}"
        match: Manifest = {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace.namespace}},
            "resourceRules": [
                {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": [resource]}
            ],
        }
        spec = {
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "matchConstraints": match,
            "matchConditions": [{"name": "needed", "expression": condition}],
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": operations}}],
        }
        bodies = [
            {"kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec},
            {"kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": name}, "spec": {"policyName": name}},
        ]
        for body in bodies:
            namespace("apply", "-f", "-", stdin=json.dumps({"apiVersion": REGISTRATION, **body}))
        made.append(name)

    yield make
    for name in made:
        namespace("delete", "mutatingadmissionpolicybinding,mutatingadmissionpolicy", name, "--ignore-not-found")


@pytest.fixture
def later_version(kubectl: Kubectl, running: OperatorProcess) -> Iterator[None]:
    """As helm does it, the definition first; a watch that was open before leaves out for a while what it adds."""
    with of_later_version(kubectl):
        running.stop()
        running.start()
        yield
