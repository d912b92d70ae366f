"""A claim without a volume is corrected by the spec; one that has a volume is data, and stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.kubectl import Kubectl
from tests.support.kubelet import start_pods
from tests.support.services import bind, complete_fetch, fetch_job, fetch_job_after, patch, reason, service
from tests.support.waiting import eventually

pytestmark = pytest.mark.usefixtures("running", "classes")

CLAIM = "speech-models"


def claim(namespace: Kubectl) -> dict[str, Any]:
    """Class, modes and size of the claim; empty where there is none."""
    found = namespace.get("pvc", CLAIM)
    if found is None or "deletionTimestamp" in found["metadata"]:
        return {}
    spec = found["spec"]
    size = spec["resources"]["requests"]["storage"]
    return {"class": spec.get("storageClassName"), "modes": spec["accessModes"], "size": size}


def uid(namespace: Kubectl) -> str:
    return (namespace.get("pvc", CLAIM) or {})["metadata"]["uid"]


AS_DEFAULT = {"class": "standard", "modes": ["ReadWriteOnce"], "size": "10Gi"}


@pytest.mark.parametrize("retention", ["Delete", "Retain"])
@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"storageClassName": "broken"}, {"storageClassName": "other"}, {"class": "other"}),
        ({"storageClassName": "broken"}, {"storageClassName": None}, {}),
        ({"accessMode": "ReadWriteMany"}, {"accessMode": None}, {}),
        ({"size": "100Ti"}, {"size": "20Gi"}, {"size": "20Gi"}),
    ],
    ids=["class", "class removed", "mode", "size"],
)
def test_a_claim_without_a_volume_follows_the_spec(
    namespace: Kubectl, retention: str, before: dict[str, Any], after: dict[str, Any], found: dict[str, Any]
) -> None:
    namespace.apply(service("speech", cache={"retention": retention, **before}))
    first = fetch_job(namespace)
    patch(namespace, "speech", {"cache": after})
    eventually("the claim is as the spec asks", lambda: claim(namespace) == {**AS_DEFAULT, **found})
    fetch_job_after(namespace, first)
    eventually("nothing is told", lambda: namespace.condition("speech", "CacheAsSpecified") == {})
    assert reason(namespace, "speech", "Stalled") == ""


def test_a_claim_with_a_volume_stays(namespace: Kubectl) -> None:
    namespace.apply(service("speech"))
    eventually("the claim is there", lambda: namespace.get("pvc", CLAIM))
    bind(namespace, CLAIM)
    before = uid(namespace)
    patch(namespace, "speech", {"cache": {"storageClassName": "other"}})
    eventually("it is told", lambda: reason(namespace, "speech", "CacheAsSpecified") == "StorageClassImmutable")
    assert (uid(namespace), claim(namespace)) == (before, AS_DEFAULT)


def test_a_class_that_does_not_exist_takes_no_claim_away(namespace: Kubectl) -> None:
    namespace.apply(service("speech"))
    eventually("the claim is there", lambda: namespace.get("pvc", CLAIM))
    before = uid(namespace)
    patch(namespace, "speech", {"cache": {"storageClassName": "gone"}})
    eventually("it is told", lambda: reason(namespace, "speech", "Stalled") == "StorageClassNotFound")
    assert uid(namespace) == before
    patch(namespace, "speech", {"cache": {"storageClassName": "other"}})
    eventually("the claim is as the spec asks", lambda: claim(namespace) == {**AS_DEFAULT, "class": "other"})


def test_a_volume_that_is_gone_is_told_until_the_claim_is_made_anew(namespace: Kubectl) -> None:
    """As after a restore of a part of the cluster: pods that serve go on, and the service is Ready beside it."""
    namespace.apply(service("speech"))
    bind(namespace, CLAIM)
    first = fetch_job(namespace)
    complete_fetch(namespace, "speech")
    eventually("a pod is there", lambda: namespace.pods_of("speech"))
    start_pods(namespace)
    namespace.wait_ready("speech")
    volume, before = f"{namespace.namespace}-{CLAIM}", uid(namespace)
    namespace("delete", "pv", volume, "--wait=false")
    namespace.patch("pv", volume, {"metadata": {"finalizers": None}})
    eventually("it is told", lambda: reason(namespace, "speech", "ModelCached") == "VolumeLost")
    assert reason(namespace, "speech", "Stalled") == "VolumeLost"
    assert namespace.condition("speech", "Ready")["status"] == "True"
    namespace.patch("pvc", CLAIM, {"metadata": {"finalizers": None}})
    namespace("delete", "pvc", CLAIM)
    eventually("another claim is made", lambda: namespace.get("pvc", CLAIM) and uid(namespace) != before)
    fetch_job_after(namespace, first)
    eventually("no volume is missed", lambda: reason(namespace, "speech", "ModelCached") == "WaitingForVolume")


def test_many_pods_ask_for_what_every_class_can_do(namespace: Kubectl) -> None:
    namespace.apply(service("one", replicas=3), service("two", replicas=3, cache={"storageClassName": "nfs"}))
    for name, mode in (("one", "ReadWriteOnce"), ("two", "ReadWriteMany")):
        eventually("the claim is there", lambda name=name: namespace.get("pvc", f"{name}-models"))
        assert (namespace.get("pvc", f"{name}-models") or {})["spec"]["accessModes"] == [mode]


@pytest.fixture
def one_class_for_all(kubectl: Kubectl, namespace: Kubectl) -> Iterator[None]:
    """A policy that gives every claim of the namespace another class than it asks for."""
    name, group = f"class-{namespace.namespace}", "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["persistentvolumeclaims"], "operations": ["CREATE"]}
    spec = {
        "matchConstraints": {
            "resourceRules": [rule],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace.namespace}},
        },
        "reinvocationPolicy": "Never",
        "mutations": [
            {
                "patchType": "ApplyConfiguration",
                "applyConfiguration": {"expression": "Object{spec: Object.spec{storageClassName: 'other'}}"},
            }
        ],
    }
    policy = {"apiVersion": group, "kind": "MutatingAdmissionPolicy", "metadata": {"name": name}, "spec": spec}
    binding = {**policy, "kind": "MutatingAdmissionPolicyBinding", "spec": {"policyName": name}}
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": [policy, binding]}))
    probe = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "probe"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
    asks = ("create", "--dry-run=server", "-o", "yaml", "-f", "-")
    eventually("the policy works", lambda: "storageClassName: other" in namespace(*asks, stdin=json.dumps(probe)))
    yield
    for kind in ("mutatingadmissionpolicy", "mutatingadmissionpolicybinding"):
        kubectl("delete", kind, name)


@pytest.mark.usefixtures("one_class_for_all")
def test_a_policy_that_chooses_the_class_meets_no_resistance(namespace: Kubectl) -> None:
    namespace.apply(service("speech", cache={"storageClassName": "broken"}))
    eventually("the policy's class is told", lambda: namespace.condition("speech", "CacheAsSpecified"))
    before = uid(namespace)
    for number in range(5):
        namespace.annotate("pvc", CLAIM, number=number)
    patch(namespace, "speech", {"language": "en"})
    eventually("that is seen", lambda: (namespace.get("wsvc", "speech") or {})["status"]["observedGeneration"] == 2)
    assert (uid(namespace), claim(namespace)["class"]) == (before, "other")
