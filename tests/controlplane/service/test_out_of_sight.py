"""A policy that takes the label away by which children are watched: it is told, and the service goes on."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from testbed import audit
from testbed.cluster.controlplane import ControlPlane
from testbed.operator_process import OPERATOR, OperatorProcess
from tests.support.kubectl import Kubectl
from tests.support.kubelet import end_job
from tests.support.services import EMPTY_DIR, min_ready, patch, port_of, service
from tests.support.waiting import awaited, eventually
from whisper_operator.api.v1alpha1 import Manifest

pytestmark = pytest.mark.usefixtures("running")

SERVICE_LABEL = "whisper-operator.io/service"
MANAGED_BY = "app.kubernetes.io/managed-by"
RESOURCES = ("deployments", "services", "ingresses", "jobs", "persistentvolumeclaims", "serviceaccounts")
TOLD_SECONDS = 90

MakesPolicy = Callable[[str, str, str], None]


def strip(namespace: Kubectl, policy: MakesPolicy, label: str, *resources: str) -> None:
    """Has a policy take that label away at every write of those resources, and waits until it does."""
    there = f"has(object.metadata.labels) && '{label}' in object.metadata.labels"
    away = f"[JSONPatch{{op: 'remove', path: '/metadata/labels/{label.replace('/', '~1')}'}}]"
    for resource in (*resources, "configmaps"):
        policy(resource, there, away)
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe", "labels": {label: "x"}}}
    probe = ("create", "--dry-run=server", "-o", "json", "-f", "-")
    eventually("it works", lambda: label not in namespace(*probe, stdin=json.dumps(body)))


def told(namespace: Kubectl) -> str:
    return namespace.condition("speech", "ChildrenMutated").get("message", "")


def labels_of_deployment(namespace: Kubectl) -> Manifest:
    return (namespace.get("deployment", "speech") or {})["metadata"]["labels"]


def write_at_rest(plane: ControlPlane, namespace: Kubectl) -> list[str]:
    """The operator's writes in the namespace while it is looked at again and again, and nothing is asked for."""
    since = plane.audit_log.stat().st_size
    audit.until_quiet(plane.audit_log, OPERATOR, since, limit=120, quiet=20, namespace=namespace.namespace)
    since = plane.audit_log.stat().st_size
    for number in range(3):
        namespace.annotate("wsvc", "speech", touched=number)
    audit.until_quiet(plane.audit_log, OPERATOR, since, limit=120, quiet=20, namespace=namespace.namespace)
    found = audit.writes(plane.audit_log, OPERATOR, since)
    return [str(one) for one in found if one.namespace == namespace.namespace]


def test_every_child_without_its_label_is_told_and_followed(
    namespace: Kubectl, plane: ControlPlane, policy: MakesPolicy
) -> None:
    """From the first write on: the Job's end and what somebody edits are seen, though no watch shows them."""
    strip(namespace, policy, SERVICE_LABEL, *RESOURCES)
    namespace.apply(service("speech", ingress={"host": f"{namespace.namespace}.example.com"}))
    (job,) = awaited("the fetch is asked for", lambda: namespace.list("jobs", "app.kubernetes.io/component=prefetch"))
    eventually("the Job is told", lambda: f"Job/{job['metadata']['name']} in metadata.labels" in told(namespace))
    assert SERVICE_LABEL not in job["metadata"]["labels"]
    end_job(namespace, job["metadata"]["name"], "Complete")
    eventually("the Deployment is there", lambda: namespace.get("deployment", "speech"), TOLD_SECONDS)
    children = ("Deployment/speech", "Service/speech", "Ingress/speech", "PersistentVolumeClaim/speech-models")
    for child in children:
        is_told = f"{child} in metadata.labels.{SERVICE_LABEL}"
        eventually(f"{child} is told", lambda is_told=is_told: is_told in told(namespace), TOLD_SECONDS)
    assert namespace.condition("speech", "ChildrenMutated")["reason"] == "LabelTakenAway"
    assert write_at_rest(plane, namespace) == []
    tampered = '{"spec": {"minReadySeconds": 99}}'
    namespace("patch", "deployment", "speech", "--type=merge", "-p", tampered)
    eventually("an edit is put right", lambda: min_ready(namespace) != 99, TOLD_SECONDS)
    patch(namespace, "speech", {"service": {"port": 8080}})
    eventually("the spec is followed", lambda: port_of(namespace) == 8080)
    namespace("delete", "service", "speech")
    eventually("what somebody deletes is made again", lambda: namespace.get("service", "speech"), TOLD_SECONDS)
    assert write_at_rest(plane, namespace) == []


def test_a_policy_that_comes_later_is_told_and_one_that_goes_is_forgotten(
    namespace: Kubectl, plane: ControlPlane, running: OperatorProcess, policy: MakesPolicy
) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually("the Deployment is there", lambda: namespace.get("deployment", "speech"))
    strip(namespace, policy, SERVICE_LABEL, "deployments")
    namespace.annotate("deployment", "speech", touched=1)
    eventually("it is told", lambda: "Deployment/speech" in told(namespace), TOLD_SECONDS)
    # It follows the condition.
    eventually("an Event tells it", lambda: "LabelTakenAway" in {one["reason"] for one in namespace.list("events")})
    assert write_at_rest(plane, namespace) == []
    namespace("delete", "mutatingadmissionpolicybinding", f"{namespace.namespace}-0")
    running.stop()
    running.start()
    eventually("the label is back", lambda: SERVICE_LABEL in labels_of_deployment(namespace), TOLD_SECONDS)
    eventually("nothing is told any more", lambda: told(namespace) == "")


def test_the_managers_label_that_a_policy_takes_away_is_told(
    namespace: Kubectl, plane: ControlPlane, policy: MakesPolicy
) -> None:
    strip(namespace, policy, MANAGED_BY, *RESOURCES)
    namespace.apply(service("speech", **EMPTY_DIR))
    path = f"Deployment/speech in metadata.labels.{MANAGED_BY}"
    eventually("it is told", lambda: path in told(namespace), TOLD_SECONDS)
    assert namespace.condition("speech", "ChildrenMutated")["reason"] == "LetBe"
    assert write_at_rest(plane, namespace) == []
