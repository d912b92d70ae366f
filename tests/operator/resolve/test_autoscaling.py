"""The metrics of an autoscaler where the spec lists none, what wakes a service without pods, and a queue alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import service
from whisper_operator.resolve.autoscaling import goes_by_what_waits, is_woken, metrics_of

KEDA = {"keda": {"prometheusAddress": "http://prometheus:9090"}}
CRON = {"name": "day", "type": "cron", "metadata": {}}


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        ({}, []),
        ({"autoscaling": {}}, ["CPU", "Memory"]),
        ({"autoscaling": {}, "gpu": {}}, ["CPU"]),
        ({"autoscaling": {"keda": {}}}, ["CPU", "Memory"]),
        ({"autoscaling": KEDA}, ["CPU", "Memory", "QueuedAudio"]),
        ({"autoscaling": KEDA, "gpu": {}}, ["QueuedAudio"]),
        ({"autoscaling": {"metrics": [{"type": "Memory"}]}, "gpu": {}}, ["Memory"]),
        ({"autoscaling": {"metrics": [], "keda": {"triggers": [CRON]}}}, []),
    ],
    ids=str,
)
def test_what_an_autoscaler_goes_by(spec: dict[str, Any], types: list[str]) -> None:
    assert [metric.type for metric in metrics_of(service(**spec).spec)] == types


EXTERNAL = {"type": "External", "external": {"metricName": "backlog", "value": 1}}


@pytest.mark.parametrize(
    ("autoscaling", "wakes"),
    [
        ({"minReplicas": 0, "metrics": [EXTERNAL]}, True),
        ({"minReplicas": 0, "keda": {"triggers": [CRON]}}, True),
        ({"minReplicas": 0, **KEDA}, False),
        ({"metrics": [{"type": "CPU"}]}, False),
    ],
    ids=str,
)
def test_what_is_there_without_a_pod_wakes_a_service(autoscaling: dict[str, Any], wakes: bool) -> None:
    scaling = service(autoscaling=autoscaling).spec.autoscaling
    assert scaling is not None
    assert is_woken(scaling) is wakes


@pytest.mark.parametrize(
    ("spec", "alone"),
    [
        ({}, False),
        ({"autoscaling": {}}, False),
        ({"autoscaling": {"metrics": [{"type": "QueuedAudio"}]}}, True),
        ({"autoscaling": {"metrics": [{"type": "QueuedAudio"}, {"type": "Memory"}]}}, True),
        ({"autoscaling": {"metrics": [{"type": "QueuedAudio"}, {"type": "CPU"}]}}, False),
        ({"autoscaling": {"metrics": [{"type": "QueuedAudio"}, EXTERNAL]}}, False),
        ({"autoscaling": KEDA}, False),
        ({"autoscaling": KEDA, "gpu": {}}, True),
        ({"autoscaling": {"metrics": [], "keda": {"onDemand": True}}}, True),
        ({"autoscaling": {"keda": {"onDemand": True}}}, False),
        ({"autoscaling": {"metrics": [], "keda": {"onDemand": True, "triggers": [CRON]}}}, False),
    ],
    ids=str,
)
def test_some_know_only_of_what_waits(spec: dict[str, Any], alone: bool) -> None:
    assert goes_by_what_waits(service(**spec).spec) is alone
