"""`autoscaling: {}` gives a HorizontalPodAutoscaler that sees real load."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.kubectl import Kubectl
from tests.support.services import mirrored_service
from tests.support.traffic import transcribing
from tests.support.waiting import eventually

REST_SECONDS = 30
QUICK = {"scaleDown": {"stabilizationWindowSeconds": 15}, "scaleUp": {"stabilizationWindowSeconds": 0}}
"""The default waits five minutes before it scales down: right in production, slow in a test."""
ROOMY = "2560Mi"
"""Two pods that hold 900 MiB each come down to one where 80 % of its request holds both."""


@pytest.fixture(scope="module")
def service(namespace: Kubectl) -> Kubectl:
    scaling = {"minReplicas": 1, "maxReplicas": 2, "behavior": QUICK}
    namespace.apply(mirrored_service("scaled", autoscaling=scaling, resources={"requests": {"memory": ROOMY}}))
    namespace.wait_ready("scaled")
    return namespace


def autoscaler(kubectl: Kubectl) -> dict[str, Any]:
    found = kubectl.get("hpa", "scaled")
    assert found is not None
    return found


def targets(kubectl: Kubectl) -> dict[str, int]:
    """Current utilisation in % of the request, by resource, as far as the metrics are known."""
    metrics = autoscaler(kubectl).get("status", {}).get("currentMetrics") or []
    found = {
        metric["containerResource"]["name"]: metric["containerResource"]["current"].get("averageUtilization")
        for metric in metrics
        if "containerResource" in metric
    }
    return {name: value for name, value in found.items() if value is not None}


def test_the_defaults_are_seventy_and_eighty_percent(service: Kubectl) -> None:
    metrics = [metric["containerResource"] for metric in autoscaler(service)["spec"]["metrics"]]
    assert {metric["container"] for metric in metrics} == {"server"}
    wanted = {metric["name"]: metric["target"]["averageUtilization"] for metric in metrics}
    assert wanted == {"cpu": 70, "memory": 80}


def idles_at_its_minimum(kubectl: Kubectl) -> bool:
    """Whether both figures are known and below their targets, and one replica is asked for."""
    found = targets(kubectl)
    calm = found.get("cpu", 100) < 70 and found.get("memory", 100) < 80
    return calm and autoscaler(kubectl)["status"]["desiredReplicas"] == 1


def test_idle_it_stays_at_its_minimum_with_real_figures(service: Kubectl) -> None:
    eventually("it is at its minimum, once the start's CPU has passed", lambda: idles_at_its_minimum(service), 240)
    time.sleep(REST_SECONDS)
    assert idles_at_its_minimum(service)


def test_it_goes_up_under_load_and_comes_down_again(service: Kubectl, recordings: Path) -> None:
    with transcribing(service.address("scaled"), (recordings / "jfk.wav").read_bytes(), clients=2):
        eventually("two replicas are asked for", lambda: deployment_replicas(service) == 2, 180)
    eventually("one replica is asked for", lambda: deployment_replicas(service) == 1, 240)


def test_the_operator_leaves_the_number_to_the_autoscaler(service: Kubectl) -> None:
    managers = {
        entry["manager"]: entry.get("fieldsV1", {}).get("f:spec", {})
        for entry in (service.get_with_managers("deployment", "scaled"))["metadata"]["managedFields"]
        if entry.get("subresource") is None
    }
    assert "f:replicas" not in managers["whisper-operator"]


def deployment_replicas(kubectl: Kubectl) -> int:
    found = kubectl.get("deployment", "scaled")
    assert found is not None
    return found["spec"]["replicas"]
