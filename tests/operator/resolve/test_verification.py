"""The Job that verifies a rollout: one for each attempt."""

from __future__ import annotations

import datetime

import pytest

from tests.operator.samples import (
    NOW,
    live,
    observed,
    one,
    pod,
    resolved,
    rolled_out,
    service,
    verifying,
)
from tests.operator.samples import jobs as wanted_jobs
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.resolve.verification import VerificationState

BAKED = {"cache": {"type": "Image"}}
ON = service(verification={}, **BAKED)
START = datetime.datetime.fromisoformat(NOW).timestamp()


def failed(attempt: int) -> Manifest:
    """The Job of that attempt, which failed at START."""
    condition = {"type": "Failed", "status": "True", "lastTransitionTime": NOW}
    job = verifying(ON, rolled_out(ON))
    for _ in range(attempt - 1):
        before = {**job, "status": {"conditions": [condition]}}
        later = observed(rolled_out(ON), before, now=START + 10_000)
        name = resolved(ON, later).verification.job_name or ""
        job = live(one(wanted_jobs(ON, rolled_out(ON), before, now=START + 10_000), "Job", name))
    return {**job, "status": {"conditions": [condition]}}


def state(*jobs: Manifest, after: float, **deployed: int) -> VerificationState:
    return resolved(ON, observed(rolled_out(ON, **deployed), *jobs, now=START + after)).verification


def test_each_rollout_has_one_of_its_own() -> None:
    first, second = (verifying(ON, rolled_out(ON, revision))["metadata"]["name"] for revision in (1, 2))
    assert first != second
    assert first.startswith("speech-verify-")


@pytest.mark.parametrize(("attempt", "pause"), [(1, 60), (2, 120), (3, 240), (7, 3600), (12, 3600)])
def test_a_failed_one_is_repeated_after_a_pause_that_doubles(attempt: int, pause: float) -> None:
    before = state(failed(attempt), after=pause - 10)
    assert (before.attempt, before.is_failed, before.retry_in) == (attempt, True, 10)
    after = state(failed(attempt), after=pause)
    assert (after.attempt, after.job, after.is_failed, after.retry_in) == (attempt + 1, None, False, None)
    assert after.job_name != before.job_name


def test_while_both_are_there_the_later_one_counts() -> None:
    running = {**failed(2), "status": {}}
    found = state(failed(1), running, after=0)
    assert (found.attempt, found.job, found.is_failed) == (2, running, False)


def test_nothing_is_sent_to_pods_that_do_not_serve() -> None:
    found = state(failed(1), after=10_000, availableReplicas=0)
    assert (found.attempt, found.is_failed, found.retry_in) == (1, True, None)


def test_a_job_of_an_earlier_rollout_is_no_attempt_at_this_one() -> None:
    found = resolved(ON, observed(rolled_out(ON, revision=2), failed(1), now=START)).verification
    assert (found.attempt, found.job) == (1, None)


PASSED = '{"checks": [{"name": "transcribe", "passed": true}], "requests": 3}'
FAILED = '{"checks": [{"name": "transcribe", "passed": false}], "requests": 3}'


@pytest.mark.parametrize(("report", "passed"), [(PASSED, True), (FAILED, False)])
@pytest.mark.parametrize("is_kept", [False, True], ids=["in its pod", "kept by the Job"])
def test_it_has_ended_once_its_container_has_reported_beside_a_sidecar(
    report: str, passed: bool, is_kept: bool
) -> None:
    deployed = rolled_out(ON)
    job = verifying(ON, deployed)
    proxy = {"name": "proxy", "state": {"running": {}}}
    ended = {"state": {"terminated": {"exitCode": 0, "message": report}}}
    there = pod("verify", containerStatuses=[ended, proxy])
    if is_kept:
        job["metadata"]["annotations"]["whisper-operator.io/report"] = report
    found = resolved(ON, observed(deployed, job, *([] if is_kept else [there]))).verification
    assert (found.is_passed, found.is_failed, found.is_to_come) == (passed, not passed, False)
    assert found.report is not None
    assert found.report.requests == 3


def test_one_that_failed_beside_a_sidecar_is_repeated_after_a_pause_that_counts_from_its_suspension() -> None:
    job = verifying(ON, rolled_out(ON))
    job["metadata"]["annotations"]["whisper-operator.io/report"] = FAILED
    assert state(job, after=10_000).retry_in == 60, "it still runs"
    resumed = {"type": "Suspended", "status": "False", "lastTransitionTime": NOW}
    assert state({**job, "status": {"conditions": [resumed]}}, after=50).retry_in == 60, "somebody has started it later"
    ended = {**job, "status": {"conditions": [{**resumed, "status": "True"}]}}
    assert state(ended, after=50).retry_in == 10
    assert (state(ended, after=60).attempt, state(ended, after=60).is_to_come) == (2, True)
