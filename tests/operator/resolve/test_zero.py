"""What a step between no pod and one rests on: the live Deployment, its pods, the front and the spec."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.resolve.test_front import fronting
from tests.operator.samples import children, live, observed, one, pod, resolved, rolled_out, service, verifying
from whisper_operator.api import conditions as c
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.observe.demand import FrontDemand
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.resolve.scaling import ScaleStep
from whisper_operator.resolve.zero import scale_step, scales_to_zero, seconds_until_idle
from whisper_runtime.contract.reports import JobsReport

NOW = 1767226200.0
"""2026-01-01T00:10:00Z."""
READY = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
ZERO: dict[str, Any] = {"autoscaling": {"minReplicas": 0}, "cache": {"type": "Image"}}
QUIET = FrontDemand(idle_seconds=600.0)
SLEPT = {"scaleToZero": {"lastSleep": "2026-01-01T00:09:00Z", "lastWake": "2026-01-01T00:01:00Z"}}
WOKEN = {"scaleToZero": {"lastSleep": "2026-01-01T00:01:00Z", "lastWake": "2026-01-01T00:09:00Z"}}


def asleep(of: WhisperService) -> Manifest:
    """The Deployment, which wants no pod."""
    none = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 0)
    body = rolled_out(of, **none)
    return {**body, "spec": {**body["spec"], "replicas": 0}}


def found(of: WhisperService, *there: Manifest, demand: FrontDemand | None = QUIET) -> Resolved:
    return resolved(of, observed(*there, now=NOW, demand=demand))


def awake(of: WhisperService, *more: Manifest, **status: Any) -> list[Manifest]:
    return [rolled_out(of, **status), pod("server", conditions=[READY]), *fronting(), *more]


def test_pods_end_once_nobody_has_asked_for_that_time() -> None:
    of = service(**ZERO)
    assert scale_step(found(of, *awake(of))) == ScaleStep(0, c.IDLE)
    longer = service(**{**ZERO, "autoscaling": {"minReplicas": 0, "scaleToZeroAfter": "11m"}})
    assert scale_step(found(longer, *awake(longer))) is None


def test_pods_stay_while_they_are_rolled_out_or_verified() -> None:
    of = service(**ZERO)
    for status in ({"updatedReplicas": 0}, {"availableReplicas": 0}, {"observedGeneration": 0}, {"replicas": 2}):
        assert scale_step(found(of, *awake(of, **status))) is None
    proven = service(**ZERO, verification={})
    assert scale_step(found(proven, *awake(proven))) is None
    job = verifying(proven, rolled_out(proven), "Complete")
    assert scale_step(found(proven, *awake(proven, job))) == ScaleStep(0, c.IDLE)


@pytest.mark.parametrize(
    "front", [[], fronting("server"), fronting(availableReplicas=0)], ids=["none", "not reached yet", "not ready"]
)
def test_pods_stay_while_clients_reach_them_and_not_the_front(front: list[Manifest]) -> None:
    of = service(**ZERO)
    assert scale_step(found(of, rolled_out(of), pod("server", conditions=[READY]), *front)) is None


def test_pods_that_have_just_become_ready_stay() -> None:
    of = service(**ZERO)
    late = {**READY, "lastTransitionTime": "2026-01-01T00:00:01Z"}
    assert scale_step(found(of, rolled_out(of), pod("server", conditions=[late]), *fronting())) is None


KEEPS_JOBS: dict[str, Any] = {**ZERO, "autoscaling": {"minReplicas": 0, "maxReplicas": 1}, "jobs": {}}
NO_JOB = JobsReport(queued_audio_seconds=0, oldest_queued=None, unended=0, age_seconds=4.0)


@pytest.mark.parametrize(
    ("report", "sleeps"),
    [
        (NO_JOB, True),
        (NO_JOB.model_copy(update={"unended": 1}), False),
        (NO_JOB.model_copy(update={"unended": None}), False),
        (NO_JOB.model_copy(update={"age_seconds": 601.0}), False),
        (None, False),
    ],
    ids=["none waits", "one is in progress", "an earlier release", "looked at before the last request", "silent"],
)
def test_pods_that_keep_jobs_end_once_none_waits(report: JobsReport | None, sleeps: bool) -> None:
    of = service(**KEEPS_JOBS)
    claim = live({**claim_of_jobs(of), "status": {"phase": "Bound"}})
    found = resolved(of, observed(*awake(of, claim), now=NOW, demand=QUIET, jobs=report))
    assert (scale_step(found) == ScaleStep(0, c.IDLE)) is sleeps


def test_jobs_in_the_pod_keep_it() -> None:
    of = service(**{**KEEPS_JOBS, "jobs": {"storage": {"type": "EmptyDir"}}})
    found = resolved(of, observed(*awake(of), now=NOW, demand=QUIET, jobs=NO_JOB))
    assert scale_step(found) is None


def test_a_request_that_ended_while_the_last_pods_did_wakes_those_that_keep_jobs() -> None:
    """It may have left a job, which nobody else would do."""
    late = FrontDemand(idle_seconds=59.0)
    for spec, step in ((KEEPS_JOBS, ScaleStep(1, c.DEMANDED)), (ZERO, None)):
        of = service(SLEPT, **spec)
        assert scale_step(found(of, asleep(of), *fronting(), demand=late)) == step
        assert scale_step(found(of, asleep(of), *fronting(), demand=FrontDemand(idle_seconds=61.0))) is None


def claim_of_jobs(of: WhisperService) -> Manifest:
    return one(children(of), "PersistentVolumeClaim", "speech-jobs")


def test_demand_starts_the_first_pod() -> None:
    of = service(**ZERO)
    assert scale_step(found(of, asleep(of), *fronting(), demand=FrontDemand(held=2))) == ScaleStep(1, c.DEMANDED)
    assert scale_step(found(of, asleep(of), *fronting())) is None


def test_a_suspended_service_sleeps_on() -> None:
    of = service(**ZERO, suspend=True)
    assert not scales_to_zero(of.spec)
    assert scale_step(found(of, asleep(of), *fronting(), demand=FrontDemand(held=2))) is None


@pytest.mark.parametrize(
    ("status", "step"),
    [(SLEPT, ScaleStep(2, c.SPEC_CHANGED)), (WOKEN, None), ({}, None)],
    ids=["slept", "woken", "never"],
)
def test_who_scaled_to_zero_tells_whether_a_spec_that_wants_pods_gets_them(
    status: dict[str, Any], step: ScaleStep | None
) -> None:
    """`kubectl scale` by a user is a decision of theirs, which an autoscaler respects, too."""
    of = service(status, autoscaling={"minReplicas": 2}, front={}, cache={"type": "Image"})
    assert scale_step(found(of, asleep(of), *fronting())) == step


def test_what_keda_has_put_to_sleep_the_operator_wakes_once_keda_is_taken_away() -> None:
    """An autoscaler leaves a Deployment of no pods alone, and nobody else would scale it."""
    kept = service(SLEPT, autoscaling={"minReplicas": 0, "keda": {"onDemand": True}}, cache={"type": "Image"})
    assert scale_step(found(kept, asleep(kept), *fronting())) is None
    left = service(SLEPT, autoscaling={"minReplicas": 2}, cache={"type": "Image"})
    assert scale_step(found(left, asleep(left))) == ScaleStep(2, c.SPEC_CHANGED)


def test_another_model_is_proven_at_once() -> None:
    of = service(model={"name": "small"}, **ZERO)
    before = live(asleep(service(**ZERO)))
    before["metadata"]["annotations"]["whisper-operator.io/last-good-model"] = "base"
    assert scale_step(found(of, before, *fronting())) == ScaleStep(1, c.MODEL_TO_PROVE)


def test_it_is_looked_again_when_pods_may_end_at_the_earliest() -> None:
    of = service(**ZERO)
    there = awake(of)
    assert seconds_until_idle(found(of, *there, demand=FrontDemand(idle_seconds=200.0))) == 400.0
    assert seconds_until_idle(found(of, *there, demand=FrontDemand(active=1))) == 600.0
    for unknown in (None, FrontDemand(idle_seconds=1.0, silent=("two",))):
        assert seconds_until_idle(found(of, *there, demand=unknown)) == 0.0
    assert seconds_until_idle(found(of, asleep(of), *fronting())) is None
    assert seconds_until_idle(found(service(**BY_OTHERS), *there)) is None


BY_OTHERS: dict[str, Any] = {"autoscaling": {"minReplicas": 1}, "cache": {"type": "Image"}}
