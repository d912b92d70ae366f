"""The HorizontalPodAutoscaler."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import children, one, service
from whisper_operator.api.v1alpha1 import Manifest

EXTERNAL = {"type": "External", "external": {"metricName": "backlog", "matchLabels": {"queue": "a"}, "value": "1500m"}}


def spec(suspend: bool = False, **autoscaling: Any) -> Manifest:
    wanted = service(autoscaling=autoscaling, suspend=suspend, cache={"type": "EmptyDir"})
    return one(children(wanted), "HorizontalPodAutoscaler")["spec"]


def test_it_scales_the_deployment() -> None:
    found = spec(minReplicas=2, maxReplicas=5)
    assert found["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "speech"}
    assert (found["minReplicas"], found["maxReplicas"]) == (2, 5)
    assert "behavior" not in found


def test_it_measures_the_servers_container_alone() -> None:
    """A sidecar without requests would keep the whole pod's usage from being computed."""
    found = spec(metrics=[{"type": "CPU"}, {"type": "Memory", "memory": {"averageUtilization": 90}}])["metrics"]
    of_server = [metric["containerResource"] for metric in found]
    assert [metric["type"] for metric in found] == ["ContainerResource"] * 2
    assert [(one["container"], one["name"], one["target"]) for one in of_server] == [
        ("server", "cpu", {"type": "Utilization", "averageUtilization": 70}),
        ("server", "memory", {"type": "Utilization", "averageUtilization": 90}),
    ]


@pytest.mark.parametrize(
    ("metric", "becomes"),
    [
        (
            {"type": "QueuedAudio", "queuedAudio": {"averageDuration": "1m30s"}},
            {
                "type": "Pods",
                "pods": {
                    "metric": {"name": "whisper_queued_audio_seconds"},
                    "target": {"type": "AverageValue", "averageValue": "90"},
                },
            },
        ),
        (
            {"type": "QueuedAudio", "queuedAudio": {"averageWait": "30s"}},
            {
                "type": "Pods",
                "pods": {
                    "metric": {"name": "whisper_wait_seconds"},
                    "target": {"type": "AverageValue", "averageValue": "30"},
                },
            },
        ),
        (
            {"type": "Pods", "pods": {"metricName": "saturation", "averageValue": "0.8"}},
            {
                "type": "Pods",
                "pods": {
                    "metric": {"name": "saturation"},
                    "target": {"type": "AverageValue", "averageValue": "800m"},
                },
            },
        ),
        (
            EXTERNAL,
            {
                "type": "External",
                "external": {
                    "metric": {"name": "backlog", "selector": {"matchLabels": {"queue": "a"}}},
                    "target": {"type": "Value", "value": "1500m"},
                },
            },
        ),
        (
            {
                "type": "Object",
                "object": {
                    "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "front"},
                    "metricName": "hits",
                    "averageValue": 1000,
                },
            },
            {
                "type": "Object",
                "object": {
                    "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "front"},
                    "metric": {"name": "hits"},
                    "target": {"type": "AverageValue", "averageValue": "1k"},
                },
            },
        ),
    ],
    ids=["QueuedAudio", "its wait", "Pods", "External", "Object"],
)
def test_a_metric_is_told_in_kubernetes_words(metric: Manifest, becomes: Manifest) -> None:
    assert spec(metrics=[metric])["metrics"] == [becomes]


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ({"averageDuration": "90s"}, "whisper_front_held_audio_seconds"),
        ({"averageWait": "90s"}, "whisper_front_held_wait_seconds"),
    ],
    ids=str,
)
def test_what_waits_at_a_front_counts_beside_what_waits_at_the_pods(target: Manifest, name: str) -> None:
    wanted = service(
        autoscaling={"metrics": [{"type": "QueuedAudio", "queuedAudio": target}]}, front={}, cache={"type": "EmptyDir"}
    )
    at_pods, at_front = one(children(wanted), "HorizontalPodAutoscaler")["spec"]["metrics"]
    assert at_pods["type"] == "Pods"
    assert at_front == {
        "type": "Object",
        "object": {
            "metric": {"name": name},
            "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "speech-front-metrics"},
            "target": {"type": "AverageValue", "averageValue": "90"},
        },
    }


def test_behaviour_is_passed_on() -> None:
    behaviour = {"scaleDown": {"stabilizationWindowSeconds": 600}}
    assert spec(behavior=behaviour)["behavior"] == behaviour


def test_a_suspended_service_is_left_alone() -> None:
    """An autoscaler whose smallest number is 0 would scale it up."""
    assert spec(minReplicas=0, metrics=[EXTERNAL])["minReplicas"] == 0
    assert spec(minReplicas=0, metrics=[EXTERNAL], suspend=True)["minReplicas"] == 1
    assert spec(minReplicas=3, suspend=True)["minReplicas"] == 3


def test_keda_makes_its_own() -> None:
    wanted = service(autoscaling={"keda": {}}, cache={"type": "EmptyDir"})
    assert "HorizontalPodAutoscaler" not in [body["kind"] for body in children(wanted)]


@pytest.mark.parametrize(("metrics", "fewest"), [(None, 1), ([EXTERNAL], 0)], ids=["by the operator", "by itself"])
def test_an_autoscaler_leaves_no_pods_alone_where_the_operator_starts_the_first(metrics: Any, fewest: int) -> None:
    """An autoscaler whose smallest number is not 0 does nothing while there is no pod (KEP-2021)."""
    wanted = service(autoscaling={"minReplicas": 0, "metrics": metrics})
    assert one(children(wanted), "HorizontalPodAutoscaler")["spec"]["minReplicas"] == fewest
