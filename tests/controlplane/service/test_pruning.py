"""Neither Argo CD, however it tracks, nor Flux takes for its own what the operator makes of a service in git."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.kubectl import Kubectl
from tests.support.pruning import FLUX, SYNC_OPTIONS, ArgoTracking, flux_prunes
from tests.support.services import complete_fetch, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names

pytestmark = pytest.mark.usefixtures("optional_apis", "running")

KINDS = (
    "serviceaccounts,persistentvolumeclaims,jobs,services,deployments,replicasets,pods,endpoints,"
    "endpointslices.discovery.k8s.io,horizontalpodautoscalers,ingresses,httproutes,networkpolicies,"
    "poddisruptionbudgets,servicemonitors,prometheusrules"
)
MADE = {"PersistentVolumeClaim", "Job", "Service", "Deployment", "Pod", "Endpoints", "Ingress", "PrometheusRule"}
RETAINED = {"speech-models", "speech-jobs"}
SPEC: dict[str, Any] = {
    "cache": {
        "retention": "Retain",
        "annotations": {SYNC_OPTIONS: "Prune=true"},
        "labels": {"example.com/app": "speech"},
    },
    "jobs": {},
    "gateway": {"parentRefs": [{"name": "public"}]},
    "networkPolicy": {},
    "disruption": {"maxUnavailable": 1},
    "monitoring": {"serviceMonitor": {}, "alerts": {}},
}
TRACKINGS = (
    ArgoTracking("label"),
    ArgoTracking("label", "argocd.argoproj.io/instance"),
    ArgoTracking("label", "example.com/app"),
    ArgoTracking("label", names.LABEL_SERVICE),
    ArgoTracking("label", "app.kubernetes.io/managed-by"),
    ArgoTracking("annotation"),
    ArgoTracking("annotation", installation="one"),
    ArgoTracking("annotation+label"),
    ArgoTracking("annotation+label", "example.com/app", installation="one"),
)
"""Each method, with each label that an administrator might choose, those that our children have included."""
APPLICATIONS = ("speech", "everything", "whisper-operator", "whisper")
"""Application names, among them each value that one of our labels has."""


def in_git(namespace: Kubectl) -> Manifest:
    """The service as every tool in turn would have written it: the marks of all of them."""
    body = service("speech", **SPEC, ingress={"host": f"{namespace.namespace}.example.com"})
    body["metadata"]["namespace"] = namespace.namespace
    for tracking in TRACKINGS[:3] + TRACKINGS[5:]:
        body = tracking.tracked(body, "everything")
    flux = {f"{FLUX}/name": "everything", f"{FLUX}/namespace": namespace.namespace}
    return {**body, "metadata": {**body["metadata"], "labels": {**body["metadata"]["labels"], **flux}}}


def objects(namespace: Kubectl) -> list[Manifest]:
    """Everything in the namespace that may come from the service."""
    found = json.loads(namespace("get", KINDS, "-o", "json"))["items"]
    return [one for one in found if one["metadata"]["name"].startswith("speech")]


def taken(namespace: Kubectl) -> list[str]:
    """What one of the tools would delete."""
    return [
        f"{tracking}, {application}: {body['kind']}/{body['metadata']['name']}"
        for body in objects(namespace)
        for application in APPLICATIONS
        for tracking in TRACKINGS
        if tracking.prunes(body, application)
        or tracking.deletes(body, application)
        or flux_prunes(body, application, namespace.namespace)
    ]


def test_nothing_of_a_service_in_git_is_pruned(namespace: Kubectl) -> None:
    namespace.apply(in_git(namespace))
    complete_fetch(namespace, "speech")
    eventually("all of it is there", lambda: {one["kind"] for one in objects(namespace)} >= MADE)
    assert taken(namespace) == []
    namespace("delete", "wsvc", "speech")
    eventually(
        "its claims alone are left",
        lambda: {one["metadata"]["name"] for one in objects(namespace)} == RETAINED,
    )
    assert taken(namespace) == [], "nor while no owner protects them any more"


@pytest.mark.parametrize("tracking", TRACKINGS, ids=str)
def test_the_rules_know_what_is_an_applications(tracking: ArgoTracking) -> None:
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "a", "namespace": "b"}}
    its = tracking.tracked(claim, "speech")
    assert tracking.prunes(its, "speech")
    assert tracking.deletes(its, "speech")
    assert not tracking.takes(claim, "speech")
    assert not tracking.takes(its, "another")
    kept = {
        **its,
        "metadata": {**its["metadata"], "annotations": names.KEPT_BY_GITOPS | its["metadata"]["annotations"]},
    }
    assert not tracking.prunes(kept, "speech")
    assert not tracking.deletes(kept, "speech")
