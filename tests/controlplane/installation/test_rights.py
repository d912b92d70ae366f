"""An operator that lacks one of the chart's rights: what it may not do is told, the rest goes on, until it may."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from tests.support.chart import of_kind, template
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.services import EMPTY_DIR, patch, port_of, reason, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

NAME = "lacks-rights"
CLASS = {"labels": {"whisper-operator.io/class": NAME}}
RBAC = {"apiVersion": "rbac.authorization.k8s.io/v1"}
AGAIN_SECONDS = 120
"""Within which what was refused is tried again."""


@pytest.fixture
def without(plane: ControlPlane, kubectl: Kubectl) -> Iterator[Callable[..., None]]:
    """Starts an operator with the chart's rights less those verbs on a resource, or gives it all of them."""
    kubectl("create", "serviceaccount", NAME)
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": "default"}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME}
    kubectl.apply(
        {**RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": NAME}, "roleRef": role, "subjects": [subject]}
    )
    grant(kubectl)
    settings = {"SERVICE_CLASS": NAME, "LEASE_NAME": NAME}
    token = kubectl("create", "token", NAME).strip()
    found = OperatorProcess(plane, identity=NAME, token=token, settings=settings)

    def start(resource: str = "", *verbs: str) -> None:
        grant(kubectl, resource, *verbs)
        if not resource:
            return
        eventually("it may not", lambda: not may(kubectl, verbs[0], resource))
        found.start()

    yield start
    found.stop()
    kubectl("delete", "clusterrolebinding,clusterrole", NAME)
    kubectl("delete", "serviceaccount", NAME)


def grant(kubectl: Kubectl, resource: str = "", *verbs: str) -> None:
    """The chart's rights, less `verbs` on `resource`."""
    bodies = template("--show-only", "templates/rbac.yaml", "--set", f"fullnameOverride={NAME}")
    chart = [*of_kind(bodies, "ClusterRole"), *of_kind(bodies, "Role")]
    rules = [narrowed for body in chart for rule in body["rules"] for narrowed in less(rule, resource, verbs)]
    kubectl.apply({**RBAC, "kind": "ClusterRole", "metadata": {"name": NAME}, "rules": rules})


def may(kubectl: Kubectl, verb: str, resource: str) -> bool:
    try:
        kubectl("auth", "can-i", verb, resource, f"--as=system:serviceaccount:default:{NAME}")
    except KubectlError:
        return False
    return True


def less(rule: Manifest, resource: str, verbs: tuple[str, ...]) -> list[Manifest]:
    if resource not in rule["resources"]:
        return [rule]
    others = [one for one in rule["resources"] if one != resource]
    kept = [verb for verb in rule["verbs"] if verb not in verbs]
    return [
        {**rule, "resources": of, "verbs": may}
        for of, may in ((others, rule["verbs"]), ([resource], kept))
        if of and may
    ]


def speech(namespace: Kubectl, **spec: object) -> Manifest:
    body = service("speech", **EMPTY_DIR, **spec)
    return {**body, "metadata": {**body["metadata"], **CLASS}}


def says(namespace: Kubectl, kind: str) -> str:
    return namespace.condition("speech", kind).get("message", "")


def warned(namespace: Kubectl, text: str) -> bool:
    return any(one["type"] == "Warning" and text in one.get("message", "") for one in namespace.list("events"))


def again(namespace: Kubectl) -> None:
    """Has the service looked at now, and not in a minute."""
    namespace.annotate("wsvc", "speech", again=1)


def test_a_secret_that_it_may_not_read(namespace: Kubectl, without: Callable[..., None]) -> None:
    without("secrets", "get")
    namespace("create", "secret", "generic", "keys", "--from-literal=team-a=0123456789abcdef0123456789abcdef")
    namespace.apply(speech(namespace, auth={"secretRef": {"name": "keys"}}))
    eventually("it is told", lambda: reason(namespace, "speech", "Reconciling") == "LookupFailed")
    assert f"Secret {namespace.namespace}/keys could not be read" in says(namespace, "Reconciling")
    assert "forbidden" in says(namespace, "Reconciling")
    eventually("a Warning tells it", lambda: warned(namespace, "keys could not be read"))
    for kind in ("service", "deployment", "serviceaccount"):
        eventually(f"the {kind} is there", lambda kind=kind: namespace.get(kind, "speech"))
    patch(namespace, "speech", {"service": {"port": 8080}})
    eventually("the spec is followed", lambda: port_of(namespace) == 8080)
    without()
    eventually("it is read", lambda: reason(namespace, "speech", "Reconciling") != "LookupFailed", AGAIN_SECONDS)
    assert reason(namespace, "speech", "PreflightPassed") == "ChecksPassed"


def test_a_child_that_it_may_not_write(namespace: Kubectl, without: Callable[..., None]) -> None:
    without("ingresses", "create", "patch")
    host = f"{namespace.namespace}.example.com"
    namespace.apply(speech(namespace, ingress={"host": host}, disruption={"maxUnavailable": 1}))
    eventually("it is told", lambda: "Ingress/speech" in says(namespace, "Exposed"))
    assert "cannot patch resource" in says(namespace, "Exposed")
    eventually("a Warning tells it", lambda: warned(namespace, "Ingress/speech"))
    for kind in ("service", "deployment", "serviceaccount", "pdb"):
        eventually(f"the {kind} is there", lambda kind=kind: namespace.get(kind, "speech"))
    without()
    again(namespace)
    eventually("it is written", lambda: namespace.get("ingress", "speech"))
    eventually("nothing is told any more", lambda: "Ingress/speech:" not in says(namespace, "Exposed"))


def test_a_child_that_it_may_not_delete(namespace: Kubectl, without: Callable[..., None]) -> None:
    without("ingresses", "delete")
    namespace.apply(speech(namespace, ingress={"host": f"{namespace.namespace}.example.com"}))
    eventually("the Ingress is there", lambda: namespace.get("ingress", "speech"))
    patch(namespace, "speech", {"ingress": None, "service": {"port": 8080}})
    eventually("the rest is followed", lambda: port_of(namespace) == 8080)
    eventually("it is told", lambda: "deletion of Ingress/speech" in json.dumps(namespace.get("wsvc", "speech")))
    without()
    again(namespace)
    eventually("it is gone", lambda: namespace.get("ingress", "speech") is None)
