"""When, why and for how long: what the status keeps of the last wake, and the condition Awake."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest

from tests.operator.resolve.test_front import fronting
from tests.operator.samples import observed, pod, resolved, rolled_out, service
from whisper_operator.api import conditions as c
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.demand import FrontDemand
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.resolve.scaling import ScaleStep
from whisper_operator.status.zero import awake, zero_status
from whisper_runtime.contract.front import LoadReport

ZERO: dict[str, Any] = {"autoscaling": {"minReplicas": 0}, "cache": {"type": "Image"}}
NOW = datetime.datetime(2026, 1, 1, 0, 10, tzinfo=datetime.UTC).timestamp()
SLEPT = {"lastSleep": "2026-01-01T00:01:00Z"}
WOKEN = {**SLEPT, "lastWake": "2026-01-01T00:09:00Z", "reason": "Demanded"}
READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:09:14Z"}


def after(
    record: dict[str, Any] | None = None, step: ScaleStep | None = None, pods: int = 1, *there: Manifest, **facts: Any
) -> Resolved:
    """A pass that has carried out the step; `record`: what the status kept, `pods`: those that are wanted."""
    of = service({"scaleToZero": record} if record else {}, **ZERO)
    deployed = rolled_out(of)
    deployed = {**deployed, "spec": {**deployed["spec"], "replicas": pods}}
    return replace(resolved(of, observed(deployed, *fronting(), *there, now=NOW, **facts)), scaled=step)


def kept(found: Resolved) -> dict[str, Any] | None:
    record = zero_status(found)
    return record.model_dump(by_alias=True, exclude_defaults=True, mode="json") if record else None


def test_nothing_is_kept_before_the_first_step() -> None:
    assert kept(after()) is None


def test_a_step_leaves_its_time_and_a_wake_its_reason() -> None:
    assert kept(after(step=ScaleStep(0, c.IDLE))) == {"lastSleep": "2026-01-01T00:10:00Z"}
    assert kept(after({**WOKEN, "seconds": 14}, ScaleStep(1, c.MODEL_TO_PROVE))) == {
        **SLEPT,
        "lastWake": "2026-01-01T00:10:00Z",
        "reason": "ModelToProve",
    }
    assert kept(after({**WOKEN, "seconds": 14}, ScaleStep(0, c.IDLE))) == {
        **WOKEN,
        "lastSleep": "2026-01-01T00:10:00Z",
        "seconds": 14,
    }


def test_a_step_of_kedas_leaves_its_time_when_it_is_seen_first() -> None:
    """By it the operator knows, once KEDA is taken away, whose wish it was that no pod runs."""
    assert kept(by_keda(None, 1)) is None
    assert kept(by_keda(None, 0)) == {"lastSleep": "2026-01-01T00:10:00Z"}
    assert kept(by_keda(SLEPT, 0)) == SLEPT
    assert kept(by_keda(SLEPT, 1)) == {**SLEPT, "lastWake": "2026-01-01T00:10:00Z"}
    assert kept(by_keda(None, 0, suspend=True)) is None, "that is the spec's own wish"


def by_keda(record: dict[str, Any] | None, pods: int, **spec: Any) -> Resolved:
    """A service that KEDA scales, of which so many pods are wanted."""
    scaling = {"minReplicas": 0, "keda": {"onDemand": True}}
    of = service({"scaleToZero": record} if record else {}, **{**ZERO, "autoscaling": scaling}, **spec)
    deployed = rolled_out(of)
    return resolved(of, observed({**deployed, "spec": {**deployed["spec"], "replicas": pods}}, now=NOW))


def test_a_step_to_zero_leaves_how_fast_the_pods_were() -> None:
    """Nobody can be asked once they are gone; one that does not answer leaves what was known."""
    load = LoadReport(is_ready=True, queued_audio_seconds=0, free_rows=4, queue_limit_seconds=600, speed=20.4567)
    found = kept(after(step=ScaleStep(0, c.IDLE), load=load))
    assert found == {"lastSleep": "2026-01-01T00:10:00Z", "audioSpeed": 20.5}
    before = {**WOKEN, "audioSpeed": 19.0}
    assert (kept(after(before, ScaleStep(0, c.IDLE))) or {})["audioSpeed"] == 19.0
    assert kept(after(before, None, 1, load=load)) == before, "no write while it serves"


def test_a_wake_took_until_the_first_pod_was_ready() -> None:
    later = {**READY, "lastTransitionTime": "2026-01-01T00:09:40Z"}
    starting, first = pod("server", "new"), pod("server", "a", conditions=[READY])
    assert kept(after(WOKEN, None, 1, starting)) == WOKEN
    found = after(WOKEN, None, 2, first, pod("server", "b", conditions=[later]))
    assert kept(found) == {**WOKEN, "seconds": 14}, "somebody else had started it before: its steps are no wake's"
    assert kept(after({**WOKEN, "seconds": 14}, None, 1, pod("server", "b", conditions=[later]))) == {
        **WOKEN,
        "seconds": 14,
    }


def test_the_steps_of_the_last_wakes_are_kept() -> None:
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T00:09:02Z"}
    running = {"state": {"running": {"startedAt": "2026-01-01T00:09:05Z"}}}
    first = pod("server", "a", conditions=[READY, scheduled], containerStatuses=[running])
    first["metadata"]["creationTimestamp"] = "2026-01-01T00:09:01Z"
    before = [{"scheduleSeconds": 1, "startSeconds": 2, "loadSeconds": number} for number in range(5)]
    assert (kept(after({**WOKEN, "wakes": before}, None, 1, first)) or {})["wakes"] == [
        {"scheduleSeconds": 2, "startSeconds": 3, "loadSeconds": 9},
        *before[:4],
    ]


@pytest.mark.parametrize(
    ("record", "step", "pods", "demand", "status", "reason", "says"),
    [
        (None, None, 1, FrontDemand(), "True", "Started", ""),
        (None, ScaleStep(0, c.IDLE), 1, FrontDemand(), "False", "Idle", "after 10m without any the last pods end"),
        (SLEPT, None, 0, FrontDemand(), "False", "Idle", "the next request starts one"),
        (
            SLEPT,
            ScaleStep(1, c.DEMANDED),
            0,
            FrontDemand(held=1),
            "True",
            "Demanded",
            "requests were held at the front",
        ),
        (WOKEN, None, 1, FrontDemand(), "True", "Demanded", "requests were held at the front"),
        ({**WOKEN, "seconds": 14}, None, 1, FrontDemand(), "True", "Demanded", "the first pod was ready after 14 s"),
        (SLEPT, None, 1, FrontDemand(), "True", "Started", ""),
        (WOKEN, None, 1, FrontDemand(silent_seconds=60.0), "True", "FrontSilent", "spec.networkPolicy.metricsFrom"),
        (WOKEN, None, 1, FrontDemand(silent_seconds=59.0), "True", "Demanded", "requests were held"),
    ],
    ids=[
        "never slept",
        "goes to sleep",
        "sleeps",
        "wakes",
        "has been woken",
        "has been woken, and is ready",
        "was scaled up by somebody else",
        "nobody knows what the front holds",
        "the front is silent for a moment",
    ],
)
def test_awake_says_why(
    record: dict[str, Any] | None,
    step: ScaleStep | None,
    pods: int,
    demand: FrontDemand,
    status: str,
    reason: str,
    says: str,
) -> None:
    found = awake(after(record, step, pods, demand=demand))
    assert found is not None
    assert (found.status, found.reason) == (status, reason)
    assert says in found.message


@pytest.mark.parametrize("spec", [{}, {"front": {}}, {**ZERO, "suspend": True}], ids=str)
def test_awake_is_absent_where_the_operator_does_not_scale_to_zero(spec: dict[str, Any]) -> None:
    of = service(**{"cache": {"type": "Image"}, **spec})
    assert awake(resolved(of, observed(rolled_out(of)))) is None
