"""KEDA's ScaledObject."""

from __future__ import annotations

from typing import Any

from tests.operator.samples import children, deployment, kinds, observed, one, rolled_out, service, verifying
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_runtime.contract.front import DemandReport

EMPTY_DIR = {"cache": {"type": "EmptyDir"}}
IMAGE = {"cache": {"type": "Image"}}
PROMETHEUS = "http://prometheus:9090"


def spec(autoscaling: dict[str, Any]) -> Manifest:
    scaled = service(autoscaling=autoscaling, **EMPTY_DIR)
    return one(children(scaled, observed(deployment(scaled))), "ScaledObject")["spec"]


def test_keda_is_told_of_a_deployment_that_is_there() -> None:
    """Its admission refuses one that is not."""
    scaled = service(autoscaling={"keda": {}}, **EMPTY_DIR)
    assert "ScaledObject" not in kinds(scaled, observed())
    assert "ScaledObject" in kinds(scaled, observed(deployment(scaled)))


def test_cpu_and_memory_are_the_servers_containers() -> None:
    """KEDA's admission refuses the pod's where a sidecar has no requests."""
    cpu, memory = spec({"keda": {}})["triggers"]
    assert cpu == {
        "type": "cpu",
        "metricType": "Utilization",
        "metadata": {"value": "70", "containerName": "server"},
    }
    assert memory["metadata"] == {"value": "80", "containerName": "server"}


def test_waiting_audio_is_asked_of_a_prometheus() -> None:
    keda = {"prometheusAddress": PROMETHEUS, "authenticationRef": {"name": "a"}, "authModes": ["tls", "bearer"]}
    metric = {"type": "QueuedAudio", "queuedAudio": {"averageDuration": "2m"}}
    (trigger,) = spec({"metrics": [metric], "keda": keda})["triggers"]
    assert (trigger["type"], trigger["name"], trigger["metricType"]) == ("prometheus", "queuedAudio", "AverageValue")
    assert trigger["authenticationRef"] == {"kind": "TriggerAuthentication", "name": "a"}
    assert trigger["metadata"] == {
        "serverAddress": PROMETHEUS,
        "query": trigger["metadata"]["query"],
        "threshold": "120",
        "authModes": "tls,bearer",
    }


def test_the_time_until_what_waits_is_done_takes_the_place_of_its_audio() -> None:
    """tests/chart/test_autoscaling_queries.py has Prometheus compute it."""
    metric = {"type": "QueuedAudio", "queuedAudio": {"averageWait": "30s"}}
    (trigger,) = spec({"metrics": [metric], "keda": {"prometheusAddress": PROMETHEUS}})["triggers"]
    assert trigger["metadata"]["threshold"] == "30"
    assert " / whisper_realtime_factor{" in trigger["metadata"]["query"]


def test_the_users_triggers_follow_as_they_are_written() -> None:
    cron = {"name": "day", "type": "cron", "metadata": {"desiredReplicas": "4"}}
    cached = {
        "name": "queue",
        "type": "kafka",
        "metadata": {},
        "metricType": "Value",
        "useCachedMetrics": True,
        "authenticationRef": {"kind": "ClusterTriggerAuthentication", "name": "kafka"},
    }
    assert spec({"metrics": [], "keda": {"triggers": [cron, cached]}})["triggers"] == [cron, cached]


def test_the_front_is_asked_for_what_clients_want() -> None:
    (trigger,) = spec({"minReplicas": 0, "metrics": [], "keda": {"onDemand": True}})["triggers"]
    assert (trigger["type"], trigger["name"], trigger["metricType"]) == ("metrics-api", "demand", "AverageValue")
    assert trigger["metadata"] == {
        "url": "http://speech-front-metrics.team.svc:9000/demand",
        "valueLocation": "wantedRequests",
        "targetValue": "8",
        "aggregateFromKubeServiceEndpoints": "true",
        "aggregationType": "sum",
    }


def test_the_front_is_asked_for_the_audio_that_waits_there_without_a_prometheus() -> None:
    for target, field, value in (
        ({"averageDuration": "2m"}, "heldAudioSeconds", "120"),
        ({"averageWait": "30s"}, "heldWaitSeconds", "30"),
    ):
        metric = {"type": "QueuedAudio", "queuedAudio": target}
        queued, demand = spec({"metrics": [metric], "keda": {"onDemand": True}})["triggers"]
        assert (queued["type"], queued["name"], queued["metricType"]) == ("metrics-api", "queuedAudio", "AverageValue")
        assert queued["metadata"] == {**demand["metadata"], "valueLocation": field, "targetValue": value}


def test_what_the_front_is_asked_for_is_in_its_answer() -> None:
    report = DemandReport(held_requests=1, held_bytes=1, active_requests=0, idle_seconds=0.0)
    asked = {
        one["metadata"]["valueLocation"]
        for target in ("averageDuration", "averageWait")
        for one in spec(
            {"metrics": [{"type": "QueuedAudio", "queuedAudio": {target: "30s"}}], "keda": {"onDemand": True}}
        )["triggers"]
    }
    assert asked <= report.model_dump(by_alias=True).keys()


def annotations(of: WhisperService, *there: Manifest) -> dict[str, str]:
    """Those of KEDA's object that are for KEDA."""
    found = one(children(of, observed(*there)), "ScaledObject")["metadata"]["annotations"]
    return {name: value for name, value in found.items() if name.startswith("autoscaling.keda.sh/")}


ON_DEMAND: dict[str, Any] = {"autoscaling": {"minReplicas": 0, "metrics": [], "keda": {"onDemand": True}}, **IMAGE}
FORCED = {"autoscaling.keda.sh/force-activation": "true"}


def test_the_first_pod_is_kept_until_it_has_proven_the_model() -> None:
    """KEDA would end it at once: no trigger has asked for one yet."""
    of = service(**ON_DEMAND)
    assert annotations(of, rolled_out(of, availableReplicas=0)) == FORCED
    proven = rolled_out(of)
    assert annotations(of, proven) == {}
    assert annotations(of, asleep(of)) == {}
    never_to_zero = service(**{**ON_DEMAND, "autoscaling": {"minReplicas": 1, "keda": {"onDemand": True}}})
    assert annotations(never_to_zero, rolled_out(never_to_zero, availableReplicas=0)) == {}


def test_a_pod_is_started_for_another_model_and_kept_until_that_is_proven() -> None:
    of = service(**ON_DEMAND)
    changed = service(**ON_DEMAND, model={"name": "tiny"})
    assert annotations(changed, asleep(of)) == FORCED


def test_pods_are_kept_until_they_are_verified_and_none_is_started_for_that() -> None:
    of = service(**ON_DEMAND, verification={})
    proven = rolled_out(of)
    assert annotations(of, proven) == FORCED
    assert annotations(of, asleep(of)) == {}
    assert annotations(of, proven, verifying(of, proven, "Complete")) == {}


def test_a_suspended_service_is_held_at_no_pods() -> None:
    of = service(**ON_DEMAND, suspend=True)
    assert annotations(of, asleep(of)) == {"autoscaling.keda.sh/paused-replicas": "0"}


def asleep(of: WhisperService) -> Manifest:
    """The Deployment once its pods have proven the model, and KEDA has ended them."""
    awake = rolled_out(of)
    proven = one(children(of, observed(awake)), "Deployment")
    annotations = {**awake["metadata"]["annotations"], **proven["metadata"]["annotations"]}
    none = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 0)
    return {
        **awake,
        "metadata": {**awake["metadata"], "annotations": annotations},
        "spec": {**awake["spec"], "replicas": 0},
        "status": {**awake["status"], **none},
    }


def test_keda_takes_one_pod_away_at_a_time_where_it_goes_by_what_waits() -> None:
    waits = spec({"metrics": [], "keda": {"onDemand": True}})["advanced"]["horizontalPodAutoscalerConfig"]
    assert waits["behavior"]["scaleDown"]["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 300}]
    assert "advanced" not in spec({"keda": {"onDemand": True}}), "CPU says how busy pods are"


def test_times_become_seconds() -> None:
    found = spec({"keda": {"pollingInterval": "1m30s", "cooldownPeriod": "10m"}})
    assert (found["pollingInterval"], found["cooldownPeriod"]) == (90, 600)
    assert {"pollingInterval", "cooldownPeriod", "advanced", "fallback"} & spec({"keda": {}}).keys() == set()


def test_behaviour_stands_beside_what_else_is_advanced() -> None:
    keda = {
        "triggers": [{"name": "day", "type": "cron", "metadata": {}}],
        "fallback": {"replicas": 3},
        "advanced": {"scalingModifiers": {"formula": "day", "target": "1"}},
    }
    found = spec({"behavior": {"scaleDown": {}}, "keda": keda})
    assert found["advanced"] == {
        "horizontalPodAutoscalerConfig": {"behavior": {"scaleDown": {}}},
        "scalingModifiers": {"formula": "day", "target": "1"},
    }
    assert found["fallback"] == {"failureThreshold": 3, "replicas": 3}
