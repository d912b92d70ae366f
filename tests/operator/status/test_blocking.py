"""The conditions of Ready: what keeps pods and fetches from running."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.operator.samples import (
    NOW,
    children,
    claim,
    live,
    observed,
    pod,
    resolved,
    service,
)
from tests.operator.statuses import all_of, conditions
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.facts import KubernetesWarning
from whisper_operator.status.assemble import observed_status

WRONG = {"model": "base", "reason": "ChecksumMismatch", "message": "has sha256 ab, but 00 was expected"}


def waiting(reason: str, says: str = "", **last: Any) -> dict[str, Any]:
    """A container that does not run, after an attempt that ended as `last` says."""
    return {"state": {"waiting": {"reason": reason, "message": says}}, "lastState": {"terminated": last}}


def ended(**how: Any) -> dict[str, Any]:
    return {"state": {"terminated": how}}


def available(of_pod: dict[str, Any], *others: Manifest, **facts: Any) -> tuple[str, str]:
    """Reason and message of Available, where a pod of that status is the one that is missing."""
    there = observed(*all_of(service(), availableReplicas=0), pod("server", **of_pod), *others, **facts)
    found = observed_status(resolved(service(), there), (), NOW)
    return next((one.reason, one.message) for one in found.conditions if one.type == "Available")


@pytest.mark.parametrize(
    ("of_pod", "reason", "says"),
    [
        ({"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes have a free GPU"}]},
         "Unschedulable", "0/3 nodes"),
        ({"containerStatuses": [waiting("ImagePullBackOff", "no such tag")]}, "ImagePullBackOff", "no such tag"),
        ({"containerStatuses": [waiting("CrashLoopBackOff", message="loading\nno checkpoint")]},
         "CrashLoopBackOff", "no checkpoint"),
        ({"containerStatuses": [waiting("CreateContainerConfigError", "couldn't find key token in Secret team/keys")]},
         "CreateContainerConfigError", "key token"),
        ({"containerStatuses": [ended(exitCode=1, message='{"timestamp": "now", "message": "no checkpoint"}')]},
         "Crashed", "pod pod: no checkpoint"),
        ({"containerStatuses": [ended(exitCode=137, reason="OOMKilled")]}, "OOMKilled", "resources.limits.memory"),
        ({"initContainerStatuses": [ended(exitCode=1, message=json.dumps(WRONG))]}, "ChecksumMismatch", "00 was exp"),
        ({"initContainerStatuses": [ended(exitCode=0)], "containerStatuses": [waiting("PodInitializing")]},
         "RollingOut", ""),
    ],
)  # fmt: skip
def test_a_pod_that_cannot_start_says_why(of_pod: dict[str, Any], reason: str, says: str) -> None:
    found = available(of_pod)
    assert found[0] == reason
    assert says in found[1]


@pytest.mark.parametrize(
    "turns",
    [
        [
            waiting("ErrImagePull", "failed to pull: no such host"),
            waiting("ImagePullBackOff", 'Back-off pulling image "x:1": ErrImagePull: failed to pull: no such host'),
        ],
        [
            waiting("CrashLoopBackOff", "back-off 10s", exitCode=1, message="no checkpoint") | {"restartCount": 1},
            {"state": {"running": {}}, "lastState": {"terminated": {"exitCode": 1, "message": "no checkpoint"}},
             "restartCount": 2},
            ended(exitCode=1, message="no checkpoint") | {"restartCount": 2},
        ],
        [
            ended(exitCode=137, reason="OOMKilled"),
            {"state": {"running": {}}, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}},
        ],
    ],
    ids=["pull", "crash", "memory"],
)  # fmt: skip
def test_a_loop_of_attempts_has_one_cause_whatever_the_pod_does_at_the_moment(turns: list[dict[str, Any]]) -> None:
    """Else each attempt would write the status, and an Event."""
    assert len({available({"containerStatuses": [turn]}) for turn in turns}) == 1


STARTED = [{"type": "PodReadyToStartContainers", "status": "True"}]


@pytest.mark.parametrize(
    ("conditions", "warned", "reason"),
    [
        ([], ("FailedMount", "references non-existent secret key: token"), "FailedMount"),
        (STARTED, ("FailedMount", "references non-existent secret key: token"), "RollingOut"),
        (STARTED, ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404"), "Unhealthy"),
        (STARTED, ("Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 404"), "Unhealthy"),
        (STARTED, ("Unhealthy", "Startup probe failed: HTTP probe failed with statuscode: 503"), "RollingOut"),
        (STARTED, ("Unhealthy", "Startup probe failed: Get: context deadline exceeded (Client.Timeout exceeded "
                                "while awaiting headers)"), "RollingOut"),
    ],
    ids=["a mount fails", "it was mounted in the end", "not ready", "never started", "loading", "loading slowly"],
)  # fmt: skip
def test_a_warning_counts_as_long_as_it_can_be_true(
    conditions: list[dict[str, str]], warned: tuple[str, str], reason: str
) -> None:
    warnings = {("Pod", "pod"): KubernetesWarning("pod", *warned)}
    assert available({"conditions": conditions}, warnings=warnings)[0] == reason


def test_a_pod_that_waits_for_the_place_of_one_that_drains_is_in_no_trouble() -> None:
    lost = {"conditions": [{"type": "PodScheduled", "status": "False", "message": "Insufficient nvidia.com/gpu"}]}
    old = pod("server", "old", phase="Running")
    leaving = {**old, "metadata": {**old["metadata"], "deletionTimestamp": NOW}}
    assert available(lost, old)[0] == "Unschedulable"
    reason, message = available(lost, leaving)
    assert reason == "RollingOut"
    assert "pod old" in message


def test_a_fetch_whose_pod_may_not_be_created_shows_the_cause() -> None:
    wanted = service()
    its_claim = claim(wanted)
    job = live(next(one for one in children(wanted, observed(its_claim)) if one["kind"] == "Job"))
    name, uid = job["metadata"]["name"], job["metadata"]["uid"]
    warnings = {("Job", name): KubernetesWarning(uid, "FailedCreate", 'no PriorityClass with name "urgent" was found')}
    found = observed_status(resolved(wanted, observed(its_claim, job, warnings=warnings)), (), NOW)
    told = {one.type: one for one in found.conditions}
    assert told["ModelCached"].reason == told["Ready"].reason == "CreateFailed"
    assert 'no PriorityClass with name "urgent"' in told["Ready"].message
    created = {**job, "status": {"active": 1}}
    found = observed_status(resolved(wanted, observed(its_claim, created, warnings=warnings)), (), NOW)
    assert conditions(found)["ModelCached"] == ("False", "Fetching")


@pytest.mark.parametrize(
    ("predecessors", "says"),
    [
        ([], "claim speech-models does not exist yet"),
        (
            [("PersistentVolumeClaim", "speech-models")],
            "pods of a deleted WhisperService of this name still use its claim",
        ),
    ],
)
def test_a_claim_that_a_predecessor_still_uses_is_told_as_such(predecessors: list[tuple[str, str]], says: str) -> None:
    there = replace(observed(), predecessors=frozenset(predecessors))
    found = observed_status(resolved(service(), there), (), NOW)
    assert next(one.message for one in found.conditions if one.type == "ModelCached").startswith(says)
