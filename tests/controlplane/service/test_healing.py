"""A child that is refused, hidden or edited costs itself alone, and is put right; what a policy made of it is kept."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from testbed.operator_process import OperatorProcess
from tests.support.admission_webhook import webhook
from tests.support.kubectl import Kubectl, KubectlError
from tests.support.services import EMPTY_DIR, fetch_job, min_ready, patch, port_of, reason, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

pytestmark = pytest.mark.usefixtures("optional_apis", "running")

SERVICE_LABEL = "whisper-operator.io/service"
MANAGED_BY = "app.kubernetes.io/managed-by"


def exposed(namespace: Kubectl, **spec: Any) -> Manifest:
    """The service `speech` with a host of its own."""
    return service("speech", **EMPTY_DIR, ingress={"host": f"{namespace.namespace}.example.com"}, **spec)


@contextmanager
def silent_port() -> Iterator[int]:
    """A port at which connections are taken and nothing is answered."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@contextmanager
def closed_port() -> Iterator[int]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def https(port: int) -> str:
    return f"https://127.0.0.1:{port}/"


def failing(namespace: Kubectl) -> str:
    """The message of Reconciling where it tells of a child that cannot be applied."""
    found = namespace.condition("speech", "Reconciling")
    return found.get("message", "") if found.get("reason") == "ApplyFailed" else ""


def warned(namespace: Kubectl, of: str) -> bool:
    events = namespace.list("events", "")
    return any(one["type"] == "Warning" and one["reason"] == of for one in events)


@pytest.mark.parametrize("port", [closed_port, silent_port], ids=["down", "silent"])
def test_a_webhook_that_does_not_answer_costs_its_own_kind_alone(namespace: Kubectl, port: Callable[[], Any]) -> None:
    """Given a new service, whose Ingress no webhook lets in."""
    with port() as at:
        with webhook(namespace, https(at), "ingresses"):
            eventually("the webhook works", lambda: refuses(namespace))
            namespace.apply(exposed(namespace, disruption={"maxUnavailable": 1}, autoscaling={}))
            eventually("the child and the cause are told", lambda: "Ingress/speech: " in failing(namespace))
            assert "failed calling webhook" in failing(namespace)
            eventually("a Warning tells it", lambda: warned(namespace, "ApplyFailed"))
            for kind in ("service", "deployment", "pdb", "hpa", "serviceaccount"):
                assert namespace.get(kind, "speech"), kind
            assert (namespace.get("wsvc", "speech") or {})["status"]["observedGeneration"] == 1
            patch(namespace, "speech", {"service": {"port": 8080}})
            eventually("the rest follows a change", lambda: port_of(namespace) == 8080)
        eventually("the Ingress is there", lambda: namespace.get("ingress", "speech"), seconds=120)
        eventually("nothing is told any more", lambda: not failing(namespace))


def test_a_webhook_that_is_down_for_several_kinds_is_told_for_each(namespace: Kubectl) -> None:
    kinds = {
        "serviceaccounts": "ServiceAccount",
        "networkpolicies": "NetworkPolicy",
        "persistentvolumeclaims": "PersistentVolumeClaim",
        "horizontalpodautoscalers": "HorizontalPodAutoscaler",
        "poddisruptionbudgets": "PodDisruptionBudget",
    }
    spec = {"disruption": {"maxUnavailable": 1}, "autoscaling": {}, "networkPolicy": {}}
    with closed_port() as at, webhook(namespace, https(at), "ingresses", *kinds):
        eventually("the webhook works", lambda: refuses(namespace))
        namespace.apply(service("speech", **spec))
        for kind in kinds.values():
            eventually(f"{kind} is told", lambda kind=kind: f"{kind}/speech" in failing(namespace))
        assert namespace.get("service", "speech")
    for resource, kind in kinds.items():
        name = "speech-models" if kind == "PersistentVolumeClaim" else "speech"
        eventually(f"{kind} is there", lambda at=(resource, name): namespace.get(*at), seconds=120)
    eventually("nothing is told any more", lambda: not failing(namespace))


def refuses(namespace: Kubectl) -> bool:
    """Whether the webhook is asked: the API server takes a moment to know it."""
    body = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "probe"},
        "spec": {"defaultBackend": {"service": {"name": "x", "port": {"number": 80}}}},
    }
    try:
        namespace("create", "--dry-run=server", "-f", "-", stdin=json.dumps(body))
    except KubectlError as error:
        return "failed calling webhook" in str(error)
    return False


def test_a_webhook_that_is_down_for_a_needed_kind_takes_no_ready_from_what_serves(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR, suspend=True))
    eventually("it is Ready", lambda: namespace.condition("speech", "Ready").get("status") == "True")
    since = namespace.condition("speech", "Ready")["lastTransitionTime"]
    with closed_port() as at, webhook(namespace, https(at), "services", operations=("CREATE",)):
        eventually("the Service cannot be put back", lambda: deleted(namespace) and failing(namespace))
        assert namespace.condition("speech", "Ready")["status"] == "True"
    eventually("the Service is back", lambda: namespace.get("service", "speech"), seconds=120)
    eventually("nothing is told any more", lambda: not failing(namespace))
    assert namespace.condition("speech", "Ready")["lastTransitionTime"] == since


def test_a_child_whose_deletion_waits_is_told_and_comes_back(namespace: Kubectl) -> None:
    """Given a controller of Ingresses that is gone, and its finalizer that is not."""
    namespace.apply(exposed(namespace))
    eventually("the Ingress is there", lambda: namespace.get("ingress", "speech"))
    merge(namespace, "ingress", {"metadata": {"finalizers": ["example.com/hold"]}})
    namespace("delete", "ingress", "speech", "--wait=false")
    eventually("it is told", lambda: reason(namespace, "speech", "Exposed") == "BeingDeleted")
    assert "example.com/hold" in namespace.condition("speech", "Reconciling")["message"]
    eventually("a Warning tells it", lambda: warned(namespace, "BeingDeleted"))
    patch(namespace, "speech", {"service": {"port": 8080}})
    eventually("the rest follows a change", lambda: port_of(namespace) == 8080)
    merge(namespace, "ingress", {"metadata": {"finalizers": None}})
    eventually("another one is made", lambda: "deletionTimestamp" not in metadata_of(namespace, "ingress"))
    eventually("nothing is told any more", lambda: reason(namespace, "speech", "Exposed") == "AddressPending")


def test_a_child_that_is_not_wanted_any_more_and_does_not_go_is_told(namespace: Kubectl) -> None:
    """As an Ingress whose controller was removed before it: its host stays taken."""
    namespace.apply(exposed(namespace))
    eventually("the Ingress is there", lambda: namespace.get("ingress", "speech"))
    merge(namespace, "ingress", {"metadata": {"finalizers": ["example.com/hold"]}})
    patch(namespace, "speech", {"ingress": None})
    eventually("it is being deleted", lambda: "deletionTimestamp" in metadata_of(namespace, "ingress"))
    eventually("it is told", lambda: reason(namespace, "speech", "Reconciling") == "BeingDeleted", 90)
    assert "Ingress/speech" in namespace.condition("speech", "Reconciling")["message"]
    merge(namespace, "ingress", {"metadata": {"finalizers": None}})
    eventually("it is gone", lambda: namespace.get("ingress", "speech") is None)
    eventually("nothing is told any more", lambda: reason(namespace, "speech", "Exposed") == "")


@pytest.mark.parametrize("labels", [{}, {"labels": None}], ids=["in sight", "out of sight"])
def test_a_child_of_a_predecessor_that_does_not_go_is_told(namespace: Kubectl, labels: Manifest) -> None:
    """As an Ingress with a load balancer whose controller was removed, when its service is deleted and made anew."""
    namespace.apply(exposed(namespace))
    eventually("the Ingress is there", lambda: namespace.get("ingress", "speech"))
    merge(namespace, "ingress", {"metadata": {"finalizers": ["example.com/hold"]}})
    namespace("delete", "wsvc", "speech")
    eventually("it is being deleted", lambda: "deletionTimestamp" in metadata_of(namespace, "ingress"))
    merge(namespace, "ingress", {"metadata": labels})
    namespace.apply(exposed(namespace))
    eventually("it is told", lambda: reason(namespace, "speech", "Exposed") == "BeingDeleted", 120)
    assert "Ingress/speech" in namespace.condition("speech", "Reconciling")["message"]
    assert "example.com/hold" in namespace.condition("speech", "Reconciling")["message"]
    merge(namespace, "ingress", {"metadata": {"finalizers": None}})
    eventually("another one is made", lambda: "deletionTimestamp" not in metadata_of(namespace, "ingress"), 90)
    eventually("nothing is told any more", lambda: reason(namespace, "speech", "Exposed") == "AddressPending")


def metadata_of(namespace: Kubectl, kind: str) -> Manifest:
    """`deletionTimestamp` alone, while it is not there."""
    return (namespace.get(kind, "speech") or {}).get("metadata", {"deletionTimestamp": ""})


def deleted(namespace: Kubectl) -> bool:
    if namespace.get("service", "speech"):
        namespace("delete", "service", "speech", "--wait=false")
    return True


LOSSES: dict[str, Manifest] = {
    "the service's label": {"labels": {SERVICE_LABEL: None}},
    "the manager's": {"labels": {MANAGED_BY: None}},
    "the manager's for another": {"labels": {MANAGED_BY: "Helm"}},
    "both": {"labels": {SERVICE_LABEL: None, MANAGED_BY: None}},
    "the service's for another": {"labels": {SERVICE_LABEL: "other", MANAGED_BY: "Helm"}},
    "its owner": {"ownerReferences": None},
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
def test_a_child_that_lost_whose_it_is_is_found_and_put_right(namespace: Kubectl, loss: Manifest) -> None:
    namespace.apply(exposed(namespace, monitoring={"alerts": {}}, networkPolicy={"allowTo": [{}]}))
    children = ("deployment", "service", "serviceaccount", "ingress", "networkpolicy", "prometheusrule")
    for kind in children:
        eventually(f"the {kind} is there", lambda kind=kind: namespace.get(kind, "speech"))
    uids = {kind: (namespace.get(kind, "speech") or {})["metadata"]["uid"] for kind in children}
    for kind in children:
        merge(namespace, kind, {"metadata": loss})
    merge(namespace, "deployment", {"spec": {"minReadySeconds": 99}})
    patch(namespace, "speech", {"service": {"port": 8080}})
    for kind in children:
        eventually(f"the {kind} has its labels", lambda kind=kind: has_labels(namespace, kind))
        eventually(f"the {kind} goes with its service", lambda kind=kind: has_owner(namespace, kind))
    eventually("the spec is followed", lambda: port_of(namespace) == 8080)
    eventually("the drift is repaired", lambda: min_ready(namespace) != 99)
    assert uids == {kind: (namespace.get(kind, "speech") or {})["metadata"]["uid"] for kind in children}
    for kind in children:  # what the operator has put back, it hands to its applies with a write of its own
        eventually(
            f"a later apply can remove the {kind}'s labels", lambda kind=kind: not has_edits_of_ours(namespace, kind)
        )


def merge(namespace: Kubectl, kind: str, body: Manifest) -> None:
    namespace.patch(kind, "speech", body)


def has_edits_of_ours(namespace: Kubectl, kind: str) -> bool:
    managers = namespace.get_with_managers(kind, "speech")["metadata"]["managedFields"]
    return ("whisper-operator", "Update") in {(one["manager"], one["operation"]) for one in managers}


def has_labels(namespace: Kubectl, kind: str) -> bool:
    labels = (namespace.get(kind, "speech") or {})["metadata"].get("labels", {})
    return (labels.get(SERVICE_LABEL), labels.get(MANAGED_BY)) == ("speech", "whisper-operator")


def has_owner(namespace: Kubectl, kind: str) -> bool:
    owners = (namespace.get(kind, "speech") or {})["metadata"].get("ownerReferences", ())
    return [(one["kind"], one["name"]) for one in owners] == [("WhisperService", "speech")]


def test_what_lost_label_and_owner_is_ours_still(namespace: Kubectl) -> None:
    """Given a retained claim, which has no owner, and a Deployment from a backup, which has lost it."""
    namespace.apply(service("speech", cache={"retention": "Retain"}))
    fetch_job(namespace)
    stripped = {"metadata": {"labels": None}}
    namespace.patch("pvc", "speech-models", stripped)
    merge(namespace, "service", {"metadata": {"labels": None, "ownerReferences": None}})
    eventually("the Service has its labels", lambda: has_labels(namespace, "service"))
    claim = (namespace.get("pvc", "speech-models") or {})["metadata"]
    eventually("the claim too", lambda: "labels" in (namespace.get("pvc", "speech-models") or {})["metadata"])
    assert claim["uid"] == (namespace.get("pvc", "speech-models") or {})["metadata"]["uid"]
    assert reason(namespace, "speech", "Stalled") == ""


def test_what_lost_its_labels_unseen_and_is_not_wanted_any_more_goes(
    namespace: Kubectl, running: OperatorProcess
) -> None:
    """Given an operator that was away meanwhile."""
    namespace.apply(service("speech", **EMPTY_DIR, autoscaling={}, disruption={"maxUnavailable": 1}))
    for kind in ("hpa", "pdb"):
        eventually(f"the {kind} is there", lambda kind=kind: namespace.get(kind, "speech"))
    running.stop()
    for kind in ("hpa", "pdb"):
        merge(namespace, kind, {"metadata": {"labels": None}})
    patch(namespace, "speech", {"autoscaling": None, "disruption": None})
    running.start()
    for kind in ("hpa", "pdb"):
        eventually(f"the {kind} is gone", lambda kind=kind: namespace.get(kind, "speech") is None)
