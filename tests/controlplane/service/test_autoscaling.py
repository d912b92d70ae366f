"""Who says how many pods there are, and how the number passes from one to the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.kubectl import Kubectl
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

pytestmark = pytest.mark.usefixtures("optional_apis", "running")

BACKLOG = {"type": "External", "external": {"metricName": "backlog", "averageValue": 30}}
FRONT = {"apiVersion": "v1", "kind": "Service", "name": "speech"}
METRICS = [
    {"type": "CPU", "cpu": {"averageUtilization": 60}},
    {"type": "Memory"},
    {"type": "QueuedAudio", "queuedAudio": {"averageDuration": "90s"}},
    {"type": "Pods", "pods": {"metricName": "saturation", "matchLabels": {"tier": "gold"}, "averageValue": "0.8"}},
    {"type": "Object", "object": {"describedObject": FRONT, "metricName": "hits", "value": "1k"}},
    BACKLOG,
    {**BACKLOG, "name": "second"},
]


def deployment(namespace: Kubectl) -> Manifest:
    return namespace.get("deployment", "speech") or {"spec": {}, "status": {}}


def replicas(namespace: Kubectl) -> int | None:
    return deployment(namespace)["spec"].get("replicas")


def are(namespace: Kubectl, count: int) -> Callable[[], bool]:
    return lambda: replicas(namespace) == count


def managers(namespace: Kubectl) -> set[str]:
    """Who holds the number of replicas."""
    found = namespace.get_with_managers("deployment", "speech")["metadata"]["managedFields"]
    return {one["manager"] for one in found if "f:replicas" in one.get("fieldsV1", {}).get("f:spec", {})}


def test_the_number_passes_to_the_autoscaler_and_comes_back(namespace: Kubectl) -> None:
    namespace.apply(service("speech", replicas=3, **EMPTY_DIR))
    eventually("three are wanted", are(namespace, 3))
    patch(namespace, "speech", {"autoscaling": {"minReplicas": 2}})
    eventually("the autoscaler is there", lambda: namespace.get("hpa", "speech"))
    assert replicas(namespace) == 3
    namespace("scale", "deployment", "speech", "--replicas=5")  # as an autoscaler does
    patch(namespace, "speech", {"logging": {"level": "debug"}})
    eventually("the template has changed", lambda: deployment(namespace)["metadata"]["generation"] > 3)
    assert replicas(namespace) == 5
    patch(namespace, "speech", {"autoscaling": None})
    eventually("the number is the spec's again", are(namespace, 3))
    assert namespace.get("hpa", "speech") is None
    assert "whisper-operator" in managers(namespace)


def test_each_metric_of_the_list_reaches_the_autoscaler(namespace: Kubectl) -> None:
    namespace.apply(service("speech", autoscaling={"metrics": METRICS}, **EMPTY_DIR))
    eventually("the HPA is there", lambda: namespace.get("hpa", "speech"))
    metrics = (namespace.get("hpa", "speech") or {})["spec"]["metrics"]
    types = ["ContainerResource", "ContainerResource", "Pods", "Pods", "Object", "External", "External"]
    assert [one["type"] for one in metrics] == types
    assert {one["containerResource"]["container"] for one in metrics[:2]} == {"server"}
    patch(namespace, "speech", {"autoscaling": {"metrics": [{"type": "QueuedAudio"}]}})
    eventually("one is left", lambda: len((namespace.get("hpa", "speech") or {})["spec"]["metrics"]) == 1)


def fewest(namespace: Kubectl) -> int | None:
    return (namespace.get("hpa", "speech") or {"spec": {}})["spec"].get("minReplicas")


def test_a_metric_that_needs_no_pod_lets_the_autoscaler_go_to_zero(namespace: Kubectl) -> None:
    """Suspended, the service stays without pods: an autoscaler with a smallest number of 0 would scale it up."""
    scaling = {"minReplicas": 0, "metrics": [BACKLOG]}
    namespace.apply(service("speech", autoscaling=scaling, **EMPTY_DIR))
    eventually("the autoscaler may go to zero", lambda: fewest(namespace) == 0)
    namespace("scale", "deployment", "speech", "--replicas=0")
    eventually("that is as the spec asks for", lambda: reason(namespace, "speech", "Available") == "ScaledToZero")
    assert replicas(namespace) == 0
    patch(namespace, "speech", {"suspend": True})
    eventually("the autoscaler leaves it alone", lambda: fewest(namespace) == 1)
    eventually("the autoscaler has seen it", lambda: is_disabled(namespace))
    patch(namespace, "speech", {"suspend": False})
    eventually("the autoscaler may go to zero again", lambda: fewest(namespace) == 0)


def test_kubectl_scale_writes_the_spec_and_knows_the_pods(namespace: Kubectl) -> None:
    namespace.apply(service("speech", **EMPTY_DIR))
    eventually(
        "the selector is told", lambda: (namespace.get("wsvc", "speech") or {}).get("status", {}).get("selector")
    )
    namespace("scale", "wsvc", "speech", "--replicas=2")
    eventually("two are wanted", are(namespace, 2))
    eventually("two are counted", lambda: (namespace.get("wsvc", "speech") or {})["status"]["replicas"] == 2)
    selector = (namespace.get("wsvc", "speech") or {})["status"]["selector"]
    pods = namespace.list("pods", selector)
    assert len(pods) == 2
    assert all(pod["metadata"]["name"].startswith("speech-") for pod in pods)


def other_autoscaler(**target: str) -> Manifest:
    """An autoscaler that somebody has made by hand, with more pods than the service's spec."""
    metrics = [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 1}}}
    ]
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "mine"},
        "spec": {
            "scaleTargetRef": {**target, "name": "speech"},
            "minReplicas": 3,
            "maxReplicas": 5,
            "metrics": metrics,
        },
    }


def test_an_autoscaler_of_the_deployment_is_named_until_it_is_gone(namespace: Kubectl) -> None:
    """The controller manager looks at autoscalers every 15 s."""
    namespace.apply(service("speech", **EMPTY_DIR), other_autoscaler(apiVersion="apps/v1", kind="Deployment"))
    eventually("it is told", lambda: reason(namespace, "speech", "ReplicasContested") == "OtherAutoscaler", 90)
    told = namespace.condition("speech", "ReplicasContested")["message"]
    assert told.startswith("HorizontalPodAutoscaler/mine scales Deployment/speech")
    eventually("the number is put back", are(namespace, 1))
    namespace("delete", "hpa", "mine")
    patch(namespace, "speech", {"logging": {"level": "debug"}})
    eventually("it is told no longer", lambda: reason(namespace, "speech", "ReplicasContested") == "")


def test_an_autoscaler_of_the_front_is_named_too(namespace: Kubectl) -> None:
    of_front = other_autoscaler(apiVersion="apps/v1", kind="Deployment")
    of_front["spec"]["scaleTargetRef"]["name"] = "speech-front"
    namespace.apply(service("speech", **EMPTY_DIR, front={}), of_front)
    says = "HorizontalPodAutoscaler/mine scales Deployment/speech-front"
    eventually("it is told", lambda: says in namespace.condition("speech", "ReplicasContested").get("message", ""), 90)


def test_an_autoscaler_of_the_whisperservice_fights_nobody(namespace: Kubectl) -> None:
    target = {"apiVersion": "whisper-operator.io/v1alpha1", "kind": "WhisperService"}
    namespace.apply(service("speech", **EMPTY_DIR), other_autoscaler(**target))
    eventually("three are wanted", are(namespace, 3), 90)
    assert (namespace.get("wsvc", "speech") or {})["spec"]["replicas"] == 3
    assert reason(namespace, "speech", "ReplicasContested") == ""


@pytest.mark.parametrize("scaling", [{}, {"autoscaling": {"minReplicas": 2}}], ids=["fixed", "autoscaled"])
def test_a_suspended_service_has_no_pods_and_keeps_its_cache(namespace: Kubectl, scaling: dict[str, object]) -> None:
    """The autoscaler leaves it alone, too: a Deployment of no replicas is none that it scales."""
    namespace.apply(service("speech", replicas=2, **EMPTY_DIR, **scaling))
    eventually("two are wanted", are(namespace, 2))
    patch(namespace, "speech", {"suspend": True})
    eventually("none are", are(namespace, 0))
    eventually("it is Ready so", lambda: reason(namespace, "speech", "Ready") == "Suspended")
    if scaling:
        eventually("the autoscaler has seen it", lambda: is_disabled(namespace))
    assert replicas(namespace) == 0
    assert namespace.get("service", "speech") is not None
    patch(namespace, "speech", {"suspend": False})
    eventually("two are wanted again", are(namespace, 2))


def is_disabled(namespace: Kubectl) -> bool:
    conditions = (namespace.get("hpa", "speech") or {}).get("status", {}).get("conditions", ())
    return any((one["type"], one["reason"]) == ("ScalingActive", "ScalingDisabled") for one in conditions)


def test_suspending_touches_no_claim(namespace: Kubectl) -> None:
    namespace.apply(service("speech", suspend=True))
    eventually("the claim is there", lambda: namespace.get("pvc", "speech-models"))
    before = namespace.get("pvc", "speech-models") or {}
    patch(namespace, "speech", {"suspend": False})
    patch(namespace, "speech", {"suspend": True})
    eventually("it is judged", lambda: (namespace.get("wsvc", "speech") or {})["status"]["observedGeneration"] == 3)
    assert (namespace.get("pvc", "speech-models") or {})["metadata"]["uid"] == before["metadata"]["uid"]


def test_the_status_counts_the_pods_that_are_wanted_there_and_available(namespace: Kubectl) -> None:
    namespace.apply(service("speech", replicas=2, **EMPTY_DIR))
    eventually("two are counted", lambda: (namespace.get("wsvc", "speech") or {})["status"].get("replicas") == 2)
    status = (namespace.get("wsvc", "speech") or {})["status"]
    assert (status["desiredReplicas"], status["availableReplicas"]) == (2, 0)
    assert namespace("get", "wsvc", "speech").splitlines()[1].split()[4:6] == ["2", "0"]
