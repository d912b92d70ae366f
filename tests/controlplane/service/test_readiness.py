"""What Ready means on a real API server: Kubernetes' own controllers count the pods, whose kubelet the tests play."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.health import argo_cd, kstatus
from tests.support.kubectl import Kubectl
from tests.support.kubelet import SERVER, start_pods
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import eventually
from whisper_operator.api.v1alpha1 import Manifest

pytestmark = pytest.mark.usefixtures("optional_apis", "running")

SCALED = {"autoscaling": {"minReplicas": 2, "maxReplicas": 10}, **EMPTY_DIR}


def are(namespace: Kubectl, count: int) -> Callable[[], bool]:
    """Whether as many pods exist, and the Deployment's controller has counted them."""

    def counted() -> bool:
        found = namespace.get("deployment", "speech") or {}
        status = found.get("status", {})
        current = status.get("observedGeneration") == found["metadata"]["generation"]
        return current and status.get("replicas", 0) == count == len(namespace.list("pods", SERVER))

    return counted


def serving(namespace: Kubectl, **spec: Any) -> Manifest:
    """A service whose spec is carried out, and its Ready condition."""
    namespace.apply(service("speech", **spec))
    eventually("its pods exist", lambda: namespace.list("pods", SERVER))
    wanted = (namespace.get("deployment", "speech") or {})["spec"]["replicas"]
    eventually("all of them", are(namespace, wanted))
    start_pods(namespace)
    eventually("its spec is carried out", lambda: namespace.is_carried_out("speech"))
    return namespace.condition("speech", "Ready")


def verdicts(namespace: Kubectl) -> tuple[str, str]:
    """What Argo CD and kstatus make of it."""
    found = namespace.get("wsvc", "speech") or {}
    generation, status = found["metadata"]["generation"], found["status"]
    return argo_cd(generation, status).status, kstatus(generation, status).status


def events(namespace: Kubectl) -> int:
    """Events about the service itself."""
    found = json.loads(namespace("get", "events", "-o", "json"))["items"]
    return sum(one["involvedObject"]["kind"] == "WhisperService" for one in found)


def test_fifty_annotations_on_the_deployment_move_nothing(namespace: Kubectl) -> None:
    before = serving(namespace, **EMPTY_DIR)
    told = events(namespace)
    for number in range(50):
        namespace.annotate("deployment", "speech", n=number)
    patch(namespace, "speech", {"service": {"port": 8080}})  # a pass after all of them
    eventually("that is carried out", lambda: namespace.is_carried_out("speech"))
    assert namespace.condition("speech", "Ready")["lastTransitionTime"] == before["lastTransitionTime"]
    assert events(namespace) == told


def test_an_autoscaler_that_goes_up_and_comes_back_moves_nothing(namespace: Kubectl) -> None:
    before, told = serving(namespace, **SCALED), events(namespace)
    namespace("scale", "deployment", "speech", "--replicas=10")
    eventually("ten pods exist", are(namespace, 10))
    eventually("that is told", lambda: reason(namespace, "speech", "RolledOut") == "RollingOut")
    assert verdicts(namespace) == ("Healthy", "Current")
    start_pods(namespace, 5)
    start_pods(namespace)
    eventually("all serve", lambda: reason(namespace, "speech", "RolledOut") == "AsSpecified")
    namespace("scale", "deployment", "speech", "--replicas=2")
    eventually("two are left", lambda: "2 of 2" in namespace.condition("speech", "RolledOut").get("message", ""))
    assert namespace.condition("speech", "Ready")["lastTransitionTime"] == before["lastTransitionTime"]
    assert verdicts(namespace) == ("Healthy", "Current")
    assert events(namespace) == told


def test_a_pod_that_is_drained_moves_nothing_and_the_last_one_does(namespace: Kubectl) -> None:
    before = serving(namespace, replicas=2, **EMPTY_DIR)
    first, last = (pod["metadata"]["name"] for pod in namespace.list("pods", SERVER))
    namespace("delete", "pod", first, "--force", "--grace-period=0")
    eventually("that is told", lambda: "1 of 2" in namespace.condition("speech", "RolledOut").get("message", ""))
    assert namespace.condition("speech", "Ready")["lastTransitionTime"] == before["lastTransitionTime"]
    assert verdicts(namespace) == ("Healthy", "Current")
    namespace("delete", "pod", last, "--force", "--grace-period=0")
    eventually("it is not ready", lambda: namespace.condition("speech", "Ready")["status"] == "False")
    assert verdicts(namespace) == ("Progressing", "InProgress")
    start_pods(namespace)
    eventually("it is again", lambda: namespace.is_carried_out("speech"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"replicas": 1, **EMPTY_DIR}, {"replicas": 3}),
        ({"autoscaling": {"minReplicas": 1}, **EMPTY_DIR}, {"autoscaling": {"minReplicas": 3}}),
    ],
    ids=["replicas", "minReplicas"],
)
def test_more_pods_for_which_there_is_no_node_are_waited_for_by_a_service_that_is_ready(
    namespace: Kubectl, before: Manifest, after: Manifest
) -> None:
    ready = serving(namespace, **before)
    patch(namespace, "speech", after)
    eventually("they are wanted", are(namespace, 3))
    eventually("that is told", lambda: "1 of 3" in namespace.condition("speech", "Reconciling").get("message", ""))
    assert namespace.condition("speech", "Ready")["lastTransitionTime"] == ready["lastTransitionTime"]
    assert reason(namespace, "speech", "Ready") == "Serving"
    assert verdicts(namespace) == ("Progressing", "InProgress")
    start_pods(namespace)
    eventually("it is carried out", lambda: namespace.is_carried_out("speech"))


def test_a_change_of_the_pods_is_waited_for_by_a_service_that_is_ready(namespace: Kubectl) -> None:
    ready = serving(namespace, **EMPTY_DIR)
    patch(namespace, "speech", {"logging": {"level": "debug"}})
    eventually("a second pod exists", are(namespace, 2))
    eventually("that is told", lambda: reason(namespace, "speech", "Reconciling") == "RollingOut")
    assert verdicts(namespace) == ("Progressing", "InProgress")
    start_pods(namespace)
    eventually("it is carried out", lambda: namespace.is_carried_out("speech"))
    assert namespace.condition("speech", "Ready")["lastTransitionTime"] == ready["lastTransitionTime"]


def quota(namespace: Kubectl, **hard: str) -> None:
    """A quota that the API server enforces: its controller has counted each kind, those of other APIs after ours."""
    names = {name.replace("__", "/").replace("_", "."): amount for name, amount in hard.items()}
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": names}}
    namespace.apply(body)

    def counted() -> set[str]:
        return set((namespace.get("resourcequota", "few") or {}).get("status", {}).get("used", {}))

    eventually("each is counted", lambda: counted() == names.keys())


REFUSED = [
    ("count__ingresses_networking_k8s_io", {"ingress": {"host": "a.example.com"}}, "Exposed"),
    ("count__httproutes_gateway_networking_k8s_io", {"gateway": {"parentRefs": [{"name": "g"}]}}, "Exposed"),
    ("services_loadbalancers", {"service": {"type": "LoadBalancer"}}, "Exposed"),
    ("count__servicemonitors_monitoring_coreos_com", {"monitoring": {"serviceMonitor": {}}}, "Monitored"),
    ("count__prometheusrules_monitoring_coreos_com", {"monitoring": {"alerts": {}}}, "Monitored"),
    ("count__horizontalpodautoscalers_autoscaling", {"autoscaling": {"minReplicas": 1}}, "AutoscalingActive"),
    ("count__poddisruptionbudgets_policy", {"disruption": {"maxUnavailable": 1}}, "Protected"),
    ("count__networkpolicies_networking_k8s_io", {"networkPolicy": {"allowTo": [{}]}}, "Protected"),
]


def test_a_refused_optional_child_has_a_condition_of_its_own_and_leaves_ready(namespace: Kubectl) -> None:
    """Given quotas that leave no room for any of them: one after the other is asked for."""
    ready = serving(namespace, **EMPTY_DIR)
    quota(namespace, **dict.fromkeys((name for name, _, _ in REFUSED), "0"))
    for _, spec, condition in REFUSED:
        patch(namespace, "speech", spec)
        eventually(f"{condition} tells", lambda kind=condition: reason(namespace, "speech", kind) == "Rejected")
        assert reason(namespace, "speech", "Ready") == "Serving", spec
        assert reason(namespace, "speech", "Stalled") == "Rejected", spec
        assert "exceeded quota" in namespace.condition("speech", condition)["message"], spec
        assert verdicts(namespace) == ("Degraded", "Failed")
        patch(namespace, "speech", {next(iter(spec)): None})
        eventually("without it all is done", lambda: namespace.is_carried_out("speech"))
    assert namespace.condition("speech", "Ready")["lastTransitionTime"] == ready["lastTransitionTime"]


def test_what_comes_later_informs_and_leaves_ready(namespace: Kubectl) -> None:
    """Given a pull Secret that is created anew, then a LimitRange that the next pod exceeds."""
    registry = ("create", "secret", "docker-registry", "registry", "--docker-username=a", "--docker-password=b")
    namespace(*registry)
    ready = serving(namespace, replicas=2, image={"pullSecrets": [{"name": "registry"}]}, **EMPTY_DIR)
    namespace("delete", "secret", "registry")
    namespace.annotate("wsvc", "speech", again=1)  # a pass
    eventually("it is told", lambda: reason(namespace, "speech", "PreflightPassed") == "PullSecretInvalid")
    assert verdicts(namespace) == ("Healthy", "Current")
    namespace(*registry)
    eventually("it is found", lambda: reason(namespace, "speech", "PreflightPassed") == "ChecksPassed")
    small = {"type": "Container", "max": {"memory": "1Gi"}}
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "small"}, "spec": {"limits": [small]}}
    namespace.apply(limits)
    namespace("delete", "pod", namespace.list("pods", SERVER)[0]["metadata"]["name"], "--force", "--grace-period=0")
    eventually("no pod may follow", lambda: reason(namespace, "speech", "RolledOut") == "CreateFailed")
    eventually("preflight says why", lambda: reason(namespace, "speech", "PreflightPassed") == "LimitRangeViolated")
    assert verdicts(namespace) == ("Healthy", "Current")
    assert namespace.condition("speech", "Ready")["lastTransitionTime"] == ready["lastTransitionTime"]


def test_of_two_services_of_one_host_in_one_apply_one_has_the_ingress_and_both_are_judged(namespace: Kubectl) -> None:
    spec = {"ingress": {"host": f"{namespace.namespace}.example.com"}, **EMPTY_DIR}
    names = ("stable", "canary")
    items = [service(name, **spec) for name in names]
    namespace("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    eventually("both are judged", lambda: all(reason(namespace, name, "Exposed") for name in names))
    exposed = {name: reason(namespace, name, "Exposed") for name in names}
    assert sorted(exposed.values()) == ["AddressPending", "HostTaken"]
    (winner,) = (name for name, why in exposed.items() if why == "AddressPending")
    (loser,) = set(names) - {winner}
    assert [one["metadata"]["name"] for one in namespace.list("ingress")] == [winner]
    namespace("delete", "wsvc", winner)
    eventually("the other takes over", lambda: reason(namespace, loser, "Exposed") == "AddressPending")
