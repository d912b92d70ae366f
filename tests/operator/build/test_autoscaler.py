"""The HorizontalPodAutoscaler."""

from __future__ import annotations

from typing import Any

from tests.operator.samples import children, one, service
from whisper_operator.api.v1alpha1 import Manifest


def spec(**autoscaling: Any) -> Manifest:
    wanted = service(autoscaling=autoscaling, cache={"type": "EmptyDir"})
    return one(children(wanted), "HorizontalPodAutoscaler")["spec"]


def test_it_scales_the_deployment_by_its_load() -> None:
    found = spec(minReplicas=2, maxReplicas=5, cpu=70)
    assert found["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "speech"}
    assert (found["minReplicas"], found["maxReplicas"]) == (2, 5)
    targets = {metric["resource"]["name"]: metric["resource"]["target"] for metric in found["metrics"]}
    assert targets["cpu"] == {"type": "Utilization", "averageUtilization": 70}
    assert "behavior" not in found


def test_waiting_audio_counts_where_the_spec_says_how_much() -> None:
    assert [metric["type"] for metric in spec()["metrics"]] == ["Resource", "Resource"]
    pods = spec(queuedAudioSeconds=90)["metrics"][-1]["pods"]
    assert pods["target"] == {"type": "AverageValue", "averageValue": "90"}


def test_behaviour_is_passed_on() -> None:
    behaviour = {"scaleDown": {"stabilizationWindowSeconds": 600}}
    assert spec(behavior=behaviour)["behavior"] == behaviour


def test_keda_makes_its_own() -> None:
    wanted = service(autoscaling={"keda": {}}, cache={"type": "EmptyDir"})
    assert "HorizontalPodAutoscaler" not in [body["kind"] for body in children(wanted)]
