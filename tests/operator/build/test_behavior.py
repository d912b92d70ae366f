"""How fast an autoscaler may go, where the spec leaves it open."""

from __future__ import annotations

from typing import Any

from tests.operator.samples import service
from whisper_operator.build.behavior import behavior

EXTERNAL = {"type": "External", "external": {"metricName": "backlog", "value": 1}}
QUEUED_AUDIO = {"type": "QueuedAudio"}
AFTER_A_MINUTE = {"stabilizationWindowSeconds": 60}
ONE_AT_A_TIME = {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 300}]}


def of(**scaling: Any) -> dict[str, Any] | None:
    return behavior(service(autoscaling=scaling).spec)


def test_what_waited_for_the_first_pod_asks_for_no_second_one_at_once() -> None:
    assert of(minReplicas=0) == {"scaleUp": AFTER_A_MINUTE}
    own = {"scaleUp": {"stabilizationWindowSeconds": 0}}
    assert of(minReplicas=0, behavior=own) == own
    assert of(minReplicas=1) is None
    assert of(minReplicas=0, metrics=[EXTERNAL]) is None


def test_one_that_goes_by_what_waits_takes_one_pod_away_at_a_time() -> None:
    """Where enough pods are there nothing waits, by which all but one would be too many."""
    assert of(metrics=[QUEUED_AUDIO]) == {"scaleDown": ONE_AT_A_TIME}
    assert of(metrics=[QUEUED_AUDIO, {"type": "CPU"}]) is None
    assert of(minReplicas=0, metrics=[QUEUED_AUDIO]) == {"scaleUp": AFTER_A_MINUTE, "scaleDown": ONE_AT_A_TIME}
    own = {"scaleDown": {"stabilizationWindowSeconds": 60}}
    assert of(metrics=[QUEUED_AUDIO], behavior=own) == own
