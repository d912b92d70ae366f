"""How fast an autoscaler may go, where the spec leaves it open."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.v1alpha1 import Manifest, Spec
from whisper_operator.resolve.autoscaling import goes_by_what_waits

AFTER_A_WAKE: Final = {"scaleUp": {"stabilizationWindowSeconds": 60}}
"""What waited for the first pod keeps it busy for a moment, and asks for no second one.

Of a pod's start the autoscaler leaves out the processor time by itself, as long as the pod is not ready and for one
window of the metric after that; what memory asked for meanwhile is the smallest number of that minute.
Source: pkg/controller/podautoscaler/replica_calculator.go, groupPods
"""
ONE_AT_A_TIME: Final = {"scaleDown": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 300}]}}
"""Where enough pods are there nothing waits, and by that alone one pod would be enough: each step down is tried for as
long as a HorizontalPodAutoscaler looks back before it takes the next (docs/adr/0089-one-pod-less-at-a-time.md)."""


def behavior(spec: Spec) -> Manifest | None:
    """`behavior` as a HorizontalPodAutoscaler has it: the spec's own, or what its metrics need; None: Kubernetes'."""
    wanted = spec.autoscaling
    if wanted is None or wanted.behavior:
        return wanted and wanted.behavior
    after_a_wake = AFTER_A_WAKE if wanted.is_woken_by_operator else {}
    one_at_a_time = ONE_AT_A_TIME if goes_by_what_waits(spec) else {}
    return {**after_a_wake, **one_at_a_time} or None
