"""What KEDA is given, on an API server that has its definitions: nothing of KEDA runs here, and the tests play it."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.support.kubectl import Kubectl
from tests.support.kubelet import start_pods, write_status
from tests.support.services import EMPTY_DIR, patch, reason, service
from tests.support.waiting import awaited, eventually

pytestmark = pytest.mark.usefixtures("optional_apis", "running")

KEDA = {
    "pollingInterval": "30s",
    "cooldownPeriod": "5m",
    "prometheusAddress": "http://prometheus.monitoring:9090",
    "authenticationRef": {"kind": "ClusterTriggerAuthentication", "name": "prometheus"},
    "authModes": ["bearer"],
    "triggers": [
        {"name": "day", "type": "cron", "metadata": {"timezone": "UTC", "desiredReplicas": "4"}},
        {"name": "queue", "type": "kafka", "metadata": {}, "useCachedMetrics": True, "metricType": "AverageValue"},
    ],
    "fallback": {"replicas": 3, "behavior": "currentReplicasIfHigher"},
    "advanced": {"scalingModifiers": {"formula": "queuedAudio + queue", "target": "60"}},
}
"""Every field."""


def replicas(namespace: Kubectl) -> int | None:
    return (namespace.get("deployment", "speech") or {"spec": {}})["spec"].get("replicas")


def test_keda_takes_over_and_gives_back(namespace: Kubectl) -> None:
    namespace.apply(service("speech", autoscaling={}, **EMPTY_DIR))
    eventually("the HPA is there", lambda: namespace.get("hpa", "speech"))
    patch(namespace, "speech", {"autoscaling": {"keda": {}}})
    eventually("KEDA's object is there", lambda: namespace.get("scaledobject", "speech"))
    eventually("the HPA is gone", lambda: namespace.get("hpa", "speech") is None)
    patch(namespace, "speech", {"autoscaling": {"keda": None}})
    eventually("the HPA is back", lambda: namespace.get("hpa", "speech"))
    eventually("KEDA's object is gone", lambda: namespace.get("scaledobject", "speech") is None)


def test_keda_gets_every_field_once(namespace: Kubectl) -> None:
    wanted = {"minReplicas": 0, "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}, "keda": KEDA}
    namespace.apply(service("speech", autoscaling=wanted, **EMPTY_DIR))
    eventually("KEDA's object is there", lambda: namespace.get("scaledobject", "speech"))
    patch(namespace, "speech", {"logging": {"level": "debug"}})
    eventually("there has been another pass", lambda: observed_generation(namespace) == 2)
    found = namespace.get("scaledobject", "speech") or {}
    assert found["metadata"]["generation"] == 1
    assert (found["spec"]["pollingInterval"], found["spec"]["cooldownPeriod"]) == (30, 300)
    assert [one["type"] for one in found["spec"]["triggers"]] == ["cpu", "memory", "prometheus", "cron", "kafka"]
    assert {one["metadata"]["containerName"] for one in found["spec"]["triggers"][:2]} == {"server"}
    assert found["spec"]["fallback"]["replicas"] == 3
    assert set(found["spec"]["advanced"]) == {"horizontalPodAutoscalerConfig", "scalingModifiers"}


def test_keda_is_given_the_front_to_ask_and_nobody_else_scales(namespace: Kubectl) -> None:
    scaling = {"minReplicas": 0, "metrics": [], "keda": {"onDemand": True}}
    namespace.apply(service("speech", autoscaling=scaling, **EMPTY_DIR))
    eventually("KEDA's object is there", lambda: namespace.get("scaledobject", "speech"))
    spec = (namespace.get("scaledobject", "speech") or {})["spec"]
    (trigger,) = spec["triggers"]
    assert (trigger["type"], spec["minReplicaCount"]) == ("metrics-api", 0)
    asked = urlsplit(trigger["metadata"]["url"])
    service_name, where, _ = (asked.hostname or "").split(".")
    assert where == namespace.namespace
    answering = (namespace.get("service", service_name) or {})["spec"]
    assert answering["selector"]["app.kubernetes.io/component"] == "front"
    assert [port["port"] for port in answering["ports"]] == [asked.port]
    eventually("there is a front", lambda: namespace.get("deployment", "speech-front"))
    namespace("scale", "deployment", "speech", "--replicas=0")  # as KEDA does
    eventually("that is as the spec asks for", lambda: reason(namespace, "speech", "RolledOut") == "ScaledToZero")
    assert (namespace.get("hpa", "speech"), reason(namespace, "speech", "Awake")) == (None, "")
    patch(namespace, "speech", {"autoscaling": {"metrics": None, "keda": None}})
    eventually("the operator takes over", lambda: namespace.get("hpa", "speech"))
    eventually("KEDA's object is gone", lambda: namespace.get("scaledobject", "speech") is None)


def test_keda_keeps_the_first_pod_until_it_has_proven_the_model(namespace: Kubectl) -> None:
    scaling = {"minReplicas": 0, "metrics": [], "keda": {"onDemand": True}}
    namespace.apply(service("speech", autoscaling=scaling, **EMPTY_DIR))
    eventually("KEDA is told to keep it", lambda: forced(namespace) == "true")
    eventually("there is a pod", lambda: namespace.pods_of("speech"))
    start_pods(namespace)
    eventually("KEDA may end it", lambda: namespace.get("scaledobject", "speech") and forced(namespace) is None)


def forced(namespace: Kubectl) -> str | None:
    body = namespace.get("scaledobject", "speech") or {"metadata": {}}
    return body["metadata"].get("annotations", {}).get("autoscaling.keda.sh/force-activation")


def test_the_trigger_that_keda_cannot_read_is_named_by_its_event(namespace: Kubectl) -> None:
    namespace.apply(service("speech", autoscaling={"keda": {}}, **EMPTY_DIR))
    found = awaited("KEDA's object is there", lambda: namespace.get("scaledobject", "speech"))
    about = {key: found[key] for key in ("apiVersion", "kind")} | {
        key: found["metadata"][key] for key in ("name", "namespace", "uid")
    }
    failed = {"type": "Ready", "status": "False", "reason": "TriggerError", "message": "not working correctly"}
    write_status(namespace, "scaledobject", "speech", {"conditions": [failed]})
    cause = {"reason": "KEDAScalerFailed", "message": "dial tcp: connection refused", "type": "Warning"}
    namespace.apply(
        {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "speech.1"}, "involvedObject": about, **cause}
    )
    told = "not working correctly: dial tcp: connection refused"
    eventually("it is told", lambda: namespace.condition("speech", "AutoscalingActive").get("message") == told)


def test_pods_come_back_where_keda_has_ended_the_last_and_is_taken_away(namespace: Kubectl) -> None:
    """An autoscaler whose smallest number is not 0 leaves a Deployment of no pods alone."""
    scaling = {"minReplicas": 0, "metrics": [], "keda": {"onDemand": True}}
    namespace.apply(service("speech", autoscaling=scaling, **EMPTY_DIR))
    eventually("KEDA's object is there", lambda: namespace.get("scaledobject", "speech"))
    namespace("scale", "deployment", "speech", "--replicas=0")  # as KEDA does
    eventually("that is as the spec asks for", lambda: reason(namespace, "speech", "RolledOut") == "ScaledToZero")
    patch(namespace, "speech", {"autoscaling": {"minReplicas": 2, "metrics": None, "keda": None}})
    eventually("there are pods again", lambda: replicas(namespace) == 2)
    eventually("KEDA's object is gone", lambda: namespace.get("scaledobject", "speech") is None)


def observed_generation(namespace: Kubectl) -> int:
    return (namespace.get("wsvc", "speech") or {}).get("status", {}).get("observedGeneration", 0)


def test_a_reason_of_several_words_does_not_keep_the_status_from_being_written(namespace: Kubectl) -> None:
    """Conditions are bounded as Kubernetes' own, and an autoscaler's are not."""
    namespace.apply(service("speech", autoscaling={"keda": {}}, **EMPTY_DIR))
    eventually("KEDA's object is there", lambda: namespace.get("scaledobject", "speech"))
    failed = {"type": "Ready", "status": "False", "reason": "Scaler failed: 503", "message": "no answer"}
    write_status(namespace, "scaledobject", "speech", {"conditions": [failed]})
    eventually("it is told", lambda: reason(namespace, "speech", "AutoscalingActive") == "Scaler")
    assert namespace.condition("speech", "AutoscalingActive")["message"] == "Scaler failed: 503: no answer"
