"""Why pods do not run, and whether one is on its way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import NOW, pod
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.facts import KubernetesWarning
from whisper_operator.observe.pod_status import (
    Cause,
    cause_of,
    failed_twice,
    holds_node,
    is_on_its_way,
    leaving,
    not_created,
    of_job,
)

LOST = {"conditions": [{"type": "PodScheduled", "status": "False", "message": "no node has a free GPU"}]}


def ending(body: Manifest) -> Manifest:
    return {**body, "metadata": {**body["metadata"], "deletionTimestamp": NOW}}


def container(restarts: int = 0, **state: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "server", "restartCount": restarts, "state": state}]}


CRASHED = {"terminated": {"exitCode": 1, "message": "no checkpoint"}}


def test_the_first_pod_that_cannot_run_gives_the_cause() -> None:
    found = cause_of([pod("server", "a", phase="Running"), pod("server", "b", **LOST)], {})
    assert found is not None
    assert (found.reason, found.message) == ("Unschedulable", "pod b: no node has a free GPU")


def test_a_pod_that_is_ready_or_ends_gives_none() -> None:
    ready = pod("server", "a", conditions=[*LOST["conditions"], {"type": "Ready", "status": "True"}])
    assert cause_of([ready, ending(pod("server", "b", **LOST))], {}) is None


def test_a_warning_about_another_pod_of_the_name_is_none_about_this_one() -> None:
    warnings = {("Pod", "a"): KubernetesWarning("another uid", "FailedMount", "no such Secret")}
    assert cause_of([pod("server", "a", phase="Pending")], warnings) is None


def test_a_claim_that_is_refused_again_and_again_is_one_cause_until_the_pod_has_a_node() -> None:
    """Each attempt has a name of its own for the claim: the status would be written for each."""
    refused = "resourceclaims.resource.k8s.io{} is forbidden: exceeded quota: devices"
    before = "PodResourceClaim gpu: create ResourceClaim : "
    waiting = pod("server", "a", phase="Pending")
    found = {
        cause_of([waiting], {("Pod", "a"): KubernetesWarning("a", "FailedResourceClaimCreation", message)})
        for message in (
            before + refused.format(' "a-gpu-lzv9p"'),
            before + refused.format(' "a-gpu-pcnh5"'),
            "(combined from similar events): " + before + refused.format(' "a-gpu-dls2f"'),
        )
    }
    [cause] = found
    assert cause == Cause("FailedResourceClaimCreation", f"pod a: {before}{refused.format('')}")
    on_a_node = {**waiting, "spec": {"nodeName": "node"}}
    warning = KubernetesWarning("a", "FailedResourceClaimCreation", "refused")
    assert cause_of([on_a_node], {("Pod", "a"): warning}) is None


def test_a_device_that_the_node_cannot_prepare_is_the_cause_until_containers_can_start() -> None:
    message = "Failed to prepare dynamic resources: DRA driver gpu.example.com is not registered"
    warnings = {("Pod", "a"): KubernetesWarning("a", "FailedPrepareDynamicResources", message)}
    assert cause_of([pod("server", "a", phase="Pending")], warnings) == Cause(
        "FailedPrepareDynamicResources", f"pod a: {message}"
    )
    can_start = {"conditions": [{"type": "PodReadyToStartContainers", "status": "True"}]}
    assert cause_of([pod("server", "a", phase="Pending", **can_start)], warnings) is None


@pytest.mark.parametrize(
    ("status", "fails"),
    [
        (container(1, **CRASHED), True),
        (container(0, **CRASHED), False),
        (container(1, running={}), False),
    ],
    ids=["again", "once", "started again"],
)
def test_a_container_has_failed_twice_when_it_failed_after_a_restart(status: dict[str, Any], fails: bool) -> None:
    assert (failed_twice(pod("server", **status)) is not None) is fails


@pytest.mark.parametrize(
    ("body", "holds"),
    [
        ({"spec": {"nodeName": "a"}, "status": {"phase": "Running"}}, True),
        ({"spec": {"nodeName": "a"}, "status": {"phase": "Failed"}}, False),
        ({"spec": {}, "status": {"phase": "Pending"}}, False),
    ],
)
def test_a_pod_holds_its_node_until_it_has_ended(body: Manifest, holds: bool) -> None:
    assert holds_node({"metadata": {}, **body}) is holds
    assert not holds_node({"metadata": {"deletionTimestamp": NOW}, **body})


@pytest.mark.parametrize(
    ("pods", "is_coming"),
    [
        ([pod("server", phase="Running")], True),
        ([pod("server", phase="Pending", **LOST)], False),
        ([ending(pod("server", phase="Running"))], True),
        ([ending(pod("server", phase="Succeeded"))], False),
        ([], False),
    ],
    ids=["starts", "finds no node", "drains", "has ended", "no pod"],
)
def test_a_pod_is_on_its_way(pods: list[Manifest], is_coming: bool) -> None:
    assert is_on_its_way(pods, {}) is is_coming


def test_a_pod_that_leaves_keeps_its_node_while_it_runs() -> None:
    draining = ending(pod("server", phase="Running"))
    assert leaving([pod("server", phase="Running"), draining]) == draining
    assert leaving([ending(pod("server", phase="Failed"))]) is None


def test_a_job_without_a_pod_shows_the_warning_about_it() -> None:
    job = {"metadata": {"name": "fetch", "uid": "1"}}
    warnings = {("Job", "fetch"): KubernetesWarning("1", "FailedCreate", "no PriorityClass")}
    found = not_created(job, warnings)
    assert found is not None
    assert (found.reason, found.message) == ("CreateFailed", "Job fetch: no PriorityClass")
    assert not_created({**job, "status": {"active": 1}}, warnings) is None
    assert not_created(None, warnings) is None


def test_a_job_whose_pod_lacks_a_label_names_the_field() -> None:
    job = {"metadata": {"name": "fetch", "uid": "1"}}
    denied = "pods \"a\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: every pod carries the label team"
    found = not_created(job, {("Job", "fetch"): KubernetesWarning("1", "FailedCreate", denied)})
    assert found is not None
    assert found.message.endswith("is set in spec.podMetadata")


def test_the_pods_of_one_job() -> None:
    one, other = pod("verify", "one"), pod("verify", "other")
    other["metadata"]["labels"]["batch.kubernetes.io/job-name"] = "another"
    assert of_job([one, other], "this") == [one]


PROXY_CRASHES = {
    "name": "proxy",
    "restartCount": 3,
    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
    "lastState": {"terminated": {"exitCode": 1, "message": "no certificate"}},
}


def test_a_sidecar_that_crashes_is_told_as_such_and_is_not_ours_failing() -> None:
    body = pod("server", phase="Running", containerStatuses=[PROXY_CRASHES, {"state": {"running": {}}}])
    found = cause_of([body], {})
    assert found is not None
    assert (found.reason, found.message) == ("CrashLoopBackOff", "pod pod: container proxy: no certificate")
    assert found.is_sidecars
    assert failed_twice(body) is None


def test_our_own_container_comes_before_a_sidecar_whatever_their_order() -> None:
    own = {"restartCount": 1, "state": CRASHED}
    body = pod("server", phase="Running", containerStatuses=[PROXY_CRASHES, own])
    found = cause_of([body], {})
    assert found is not None
    assert (found.message, found.is_sidecars) == ("pod pod: no checkpoint", False)
    assert failed_twice(body) is not None


@pytest.mark.parametrize(
    ("component", "name", "remedy"),
    [
        ("server", "server", "raise spec.resources.limits.memory"),
        ("prefetch", "fetch", "raise spec.prefetch.resources.limits.memory"),
        ("verify", "verify", "raise spec.verification.resources.limits.memory"),
        ("server", "proxy", "container proxy: the container exceeded its memory limit: raise it"),
    ],
)
def test_a_container_that_lacks_memory_is_told_with_its_field(component: str, name: str, remedy: str) -> None:
    ended = {"name": name, "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}
    found = cause_of([pod(component, containerStatuses=[ended])], {})
    assert found is not None
    assert found.message.endswith(remedy)
