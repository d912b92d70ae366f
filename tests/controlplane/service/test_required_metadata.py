"""Namespaces whose policy asks for a label or an annotation on every object, on a real API server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from testbed import audit
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR
from tests.support.every_child import everything
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.kubelet import end_job
from tests.support.services import EMPTY_DIR, fetch_job, patch
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import AUTOSCALER, CHILD_KINDS, CLAIM, JOB

pytestmark = pytest.mark.usefixtures("optional_apis", "running")

RESOURCES = [kind.plural for kind in CHILD_KINDS]
ASKED: dict[str, Any] = {"labels": {"cost-center": "speech"}, "annotations": {"owner": "speech@example.com"}}


@pytest.fixture
def asks(namespace: Kubectl) -> Iterator[Callable[[], None]]:
    """Has a policy ask for both on every object of the kinds that are children, and waits until it does."""
    name = f"{namespace.namespace}-metadata"
    api = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": name}}
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"], "resources": RESOURCES}
    validations = [
        {
            "expression": f"has(object.metadata.{part}) && '{key}' in object.metadata.{part}",
            "message": f"every object carries the {part.removesuffix('s')} {key}",
        }
        for part, of in ASKED.items()
        for key in of
    ]
    spec = {"matchConstraints": {"resourceRules": [rule]}, "validations": validations}
    where = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace.namespace}}}
    binding = {"policyName": name, "validationActions": ["Deny"], "matchResources": where}

    def ask() -> None:
        eventually("the account of the namespace is there", lambda: namespace.get("serviceaccount", "default"))
        namespace.apply(
            {**api, "kind": "ValidatingAdmissionPolicy", "spec": spec},
            {**api, "kind": "ValidatingAdmissionPolicyBinding", "spec": binding},
        )
        eventually("the policy is in force", lambda: refuses(namespace))

    yield ask
    namespace("delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", name, "--ignore-not-found")


def refuses(namespace: Kubectl) -> bool:
    try:
        namespace("create", "serviceaccount", "probe", "--dry-run=server")
    except KubectlError as error:
        return "denied request" in str(error)
    return False


def children(namespace: Kubectl) -> dict[str, Manifest]:
    found = namespace.list(",".join(kinds()), "whisper-operator.io/service=speech")
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in found}


def kinds() -> list[str]:
    return [f"{kind.plural}.{kind.group}" if kind.group else kind.plural for kind in CHILD_KINDS]


def lacking(namespace: Kubectl) -> set[str]:
    """The children that lack what is asked for."""
    return {
        name
        for name, body in children(namespace).items()
        for part, of in ASKED.items()
        if of.items() - body["metadata"].get(part, {}).items()
    }


def told(namespace: Kubectl) -> str:
    return namespace.condition("speech", "Stalled").get("message", "")


def test_a_child_without_it_is_told_with_the_rule_and_the_field(namespace: Kubectl, asks: Callable[[], None]) -> None:
    asks()
    namespace.apply(everything(namespace))
    eventually("it is told", lambda: "every object carries the label cost-center" in told(namespace))
    assert f"{namespace.namespace}-metadata" in told(namespace), "the rule's name"
    assert "is set in spec.objectMetadata" in told(namespace)
    assert children(namespace) == {}
    patch(namespace, "speech", {"objectMetadata": ASKED})
    eventually("nothing is refused any more", lambda: not told(namespace))
    end_job(namespace, fetch_job(namespace)["metadata"]["name"], "Complete")
    wanted = {kind.kind for kind in CHILD_KINDS} - {AUTOSCALER.kind}
    eventually("every kind is there", lambda: {one["kind"] for one in children(namespace).values()} == wanted)
    assert lacking(namespace) == set()
    patch(namespace, "speech", {"autoscaling": {"keda": None}})
    eventually("and the last kind", lambda: namespace.get("hpa", "speech"))
    assert lacking(namespace) == set()


def test_what_is_asked_for_later_restarts_no_pod_and_costs_no_write_at_rest(
    namespace: Kubectl, plane: ControlPlane, asks: Callable[[], None]
) -> None:
    namespace.apply(everything(namespace, **EMPTY_DIR))
    wanted = {kind.kind for kind in CHILD_KINDS} - {AUTOSCALER.kind, CLAIM.kind, JOB.kind}
    eventually("every kind is there", lambda: {one["kind"] for one in children(namespace).values()} == wanted)
    templates = templates_of_pods(namespace)
    asks()
    patch(namespace, "speech", {"service": {"port": 8080}})
    eventually("a later change is refused", lambda: "every object carries" in told(namespace))
    patch(namespace, "speech", {"objectMetadata": ASKED})
    eventually("every child has it", lambda: lacking(namespace) == set())
    eventually("nothing is refused any more", lambda: not told(namespace))
    assert templates_of_pods(namespace) == templates
    at_rest(plane, namespace)
    since = plane.audit_log.stat().st_size
    for number in range(3):
        namespace.annotate("wsvc", "speech", touched=number)
    at_rest(plane, namespace)
    found = audit.writes(plane.audit_log, OPERATOR, since)
    assert [str(one) for one in found if one.namespace == namespace.namespace] == []


def templates_of_pods(namespace: Kubectl) -> dict[str, str]:
    """The templates of the Deployments' pods."""
    return {
        name: json.dumps(body["spec"]["template"], sort_keys=True)
        for name, body in children(namespace).items()
        if body["kind"] == "Deployment"
    }


def at_rest(plane: ControlPlane, namespace: Kubectl) -> None:
    since = plane.audit_log.stat().st_size
    audit.until_quiet(plane.audit_log, OPERATOR, since, limit=120, quiet=10, namespace=namespace.namespace)
