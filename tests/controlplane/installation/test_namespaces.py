"""An installation for some namespaces, with a Role in each: one that is deleted takes nothing from the others."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest

from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support.chart import of_kind, template
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.services import EMPTY_DIR, patch, port_of, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

NAME = "of-some"
SYSTEM = "whisper-system"
"""Where the chart is rendered for."""
KINDS = ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")
FOLLOWED_WITHIN = 120


@pytest.fixture
def both(kubectl: Kubectl) -> tuple[Kubectl, Kubectl]:
    """kubectl in two namespaces."""
    names = [f"{NAME}-{uuid.uuid4().hex[:8]}" for _ in range(2)]
    for name in names:
        kubectl("create", "namespace", name)
    first, second = (kubectl.within(name) for name in names)
    return first, second


@pytest.fixture
def operator(plane: ControlPlane, kubectl: Kubectl, both: tuple[Kubectl, Kubectl]) -> Iterator[OperatorProcess]:
    """An operator for these two, with the chart's rights."""
    names = ",".join(one.namespace for one in both)
    bodies = template("--set", f"watchNamespaces={{{names}}}", "--set", f"fullnameOverride={NAME}")
    kubectl("create", "serviceaccount", NAME)
    for kind in KINDS:
        for body in of_kind(bodies, kind):
            kubectl("apply", "-f", "-", stdin=json.dumps(in_default(body)))
    token = kubectl("create", "token", NAME).strip()
    settings = {"LEASE_NAME": NAME, "DISCOVERY_SECONDS": "1"}
    found = OperatorProcess(plane, identity=NAME, token=token, namespaces=names, settings=settings)
    found.start()
    yield found
    found.stop()
    kubectl("delete", "serviceaccount", NAME)


def in_default(body: Manifest) -> Manifest:
    """That Role, or the binding of one, for an operator in the namespace `default`."""
    metadata = body["metadata"]
    where = {"namespace": "default"} if metadata.get("namespace") == SYSTEM else {}
    subjects = [{"kind": "ServiceAccount", "name": NAME, "namespace": "default"}]
    bound = {"subjects": subjects} if "subjects" in body else {}
    return {**body, "metadata": {**metadata, **where}, **bound}


def exists(kubectl: Kubectl, namespace: str) -> bool:
    try:
        kubectl("get", "namespace", namespace)
    except KubectlError:
        return False
    return True


def test_a_namespace_that_is_deleted_takes_nothing_from_the_other(
    kubectl: Kubectl, both: tuple[Kubectl, Kubectl], operator: OperatorProcess
) -> None:
    stays, goes = both
    for one in both:
        one.apply(service("speech", **EMPTY_DIR))
    for one in both:
        eventually("it is deployed", lambda one=one: one.get("deployment", "speech"))
    kubectl("delete", "namespace", goes.namespace, "--wait=false")
    eventually("it is gone", lambda: not exists(kubectl, goes.namespace), 90)
    for port in (8080, 8081):
        patch(stays, "speech", {"service": {"port": port}})
        eventually("a change is followed", lambda port=port: port_of(stays) == port, FOLLOWED_WITHIN)
        operator.stop()  # and by the next process, which finds no second one
        operator.start()
