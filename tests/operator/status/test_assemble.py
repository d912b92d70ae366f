"""Given what is there, this is the status."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.operator.objects import (
    NOW,
    children,
    claim,
    deployment,
    fetched,
    live,
    observed,
    one,
    pod,
    resolved,
    service,
)
from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.observe.facts import KubernetesWarning
from whisper_operator.observe.installation import Installation
from whisper_operator.status.assemble import as_json, observed_status, stalled_status

LATER = "2026-01-01T00:01:00Z"


def status(
    of: WhisperService, *there: Manifest, troubles: tuple[ConditionUpdate, ...] = (), missing: str = ""
) -> Status:
    secrets = {missing: None} if missing else {}
    return observed_status(resolved(of, observed(*there, secrets=secrets)), troubles, NOW)


def conditions(found: Status) -> dict[str, tuple[str, str]]:
    return {one.type: (one.status, one.reason) for one in found.conditions}


def all_of(of: WhisperService, **deployed: Any) -> list[Manifest]:
    there = [claim(of), fetched(of, claim(of))]
    return [*there, deployment(of, *there, **deployed)]


def test_a_service_as_it_should_be() -> None:
    found = status(service(), *all_of(service()))
    assert conditions(found) == {
        "Ready": ("True", "AsSpecified"),
        "PreflightPassed": ("True", "ChecksPassed"),
        "ModelCached": ("True", "Cached"),
        "Available": ("True", "AsSpecified"),
    }
    assert found.model is not None
    assert (found.model.name, found.model.wanted) == ("base", None)
    assert (found.replicas, found.ready_replicas, found.observed_generation) == (1, 1, 2)
    assert found.url == "http://speech.team.svc"
    assert found.selector == (
        "app.kubernetes.io/name=whisper,app.kubernetes.io/instance=speech,app.kubernetes.io/component=server"
    )


@pytest.mark.parametrize(
    "lag", [{"observedGeneration": 0}, {"updatedReplicas": 0}, {"availableReplicas": 0}, {"replicas": 2}]
)
def test_a_rollout_under_way(lag: dict[str, int]) -> None:
    found = conditions(status(service(), *all_of(service(), **lag)))
    assert found["Ready"] == ("False", "RollingOut")
    assert found["Reconciling"][0] == "True"
    assert "Stalled" not in found


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


def test_a_missing_secret_waits_for_the_user() -> None:
    found = status(service(auth={"secretRef": {"name": "keys"}}), *all_of(service()), missing="keys")
    assert conditions(found)["Stalled"] == ("True", "SecretNotFound")
    assert "keys" in found.conditions[0].message


def test_suspended_is_ready() -> None:
    asleep = service(suspend=True)
    assert conditions(status(asleep, *all_of(asleep)))["Ready"] == ("True", "Suspended")
    assert conditions(status(asleep, *all_of(service())))["Ready"] == ("False", "Suspending")


def test_what_the_pass_ran_into_is_stalled() -> None:
    trouble = ConditionUpdate(c.STALLED, "True", c.NOT_OWNED, "Service/speech is somebody else's")
    found = conditions(status(service(), *all_of(service()), troubles=(trouble,)))
    assert found["Ready"] == ("False", "NotOwned")
    assert found["Stalled"] == ("True", "NotOwned")


def test_a_transition_moves_its_time_and_nothing_else_does() -> None:
    before = status(service(), *all_of(service()))
    same = service(status=as_json(before))
    assert observed_status(resolved(same, observed(*all_of(same))), (), LATER) == before
    broken = observed_status(resolved(same, observed(*all_of(same, availableReplicas=0))), (), LATER)
    times = {one.type: one.last_transition_time for one in broken.conditions}
    assert times == {
        "Ready": LATER,
        "Reconciling": LATER,
        "PreflightPassed": NOW,
        "ModelCached": NOW,
        "Available": LATER,
    }


def test_a_refused_spec_keeps_what_was_observed() -> None:
    before = status(service(), *all_of(service()))
    after = stalled_status(before, 3, c.NOT_IMPLEMENTED, "spec.jobs is not implemented", LATER)
    assert conditions(after)["Ready"] == ("False", "NotImplemented")
    assert conditions(after)["Available"] == ("True", "AsSpecified")
    assert (after.model, after.ready_replicas, after.observed_generation) == (before.model, 1, 3)


def test_a_newer_default_image_is_told() -> None:
    found = observed_status(resolved(service(), observed(*all_of(service())), Installation("runtime:2")), (), NOW)
    assert conditions(found)["RuntimeUpdateAvailable"] == ("True", "NewerDefaultImage")
    named = service(image={"tag": "1"})
    assert "RuntimeUpdateAvailable" not in conditions(
        observed_status(resolved(named, observed(*all_of(named)), Installation("runtime:2")), (), NOW)
    )


@pytest.mark.parametrize(
    ("spec", "url"),
    [
        ({"service": {"port": 8080}}, "http://speech.team.svc:8080"),
        ({"ingress": {"host": "a.example.com"}}, "http://a.example.com"),
        (
            {"ingress": {"host": "a.example.com", "path": "/asr", "tls": {"secretName": "t"}}},
            "https://a.example.com/asr",
        ),
        ({"ingress": {}}, "http://speech.team.svc"),
        ({"ingress": {"host": "*.example.com"}}, "http://speech.team.svc"),
        (
            {"gateway": {"parentRefs": [{"name": "g"}], "hostnames": ["*.example.com", "b.example.com"]}},
            "https://b.example.com",
        ),
    ],
)
def test_the_url(spec: dict[str, Any], url: str) -> None:
    wanted = service(**spec)
    assert status(wanted, *(live(one) for one in children(wanted))).url == url


def test_the_url_of_a_host_that_another_has_is_the_clusters_own() -> None:
    assert status(service(ingress={"host": "a.example.com"})).url == "http://speech.team.svc"


@pytest.mark.parametrize(
    ("address", "url"),
    [({"ip": "192.0.2.1"}, "http://192.0.2.1"), ({"hostname": "lb.example"}, "http://lb.example"),
     ({"ip": "2001:db8::1"}, "http://[2001:db8::1]")],
)  # fmt: skip
def test_the_url_of_a_load_balancer(address: dict[str, str], url: str) -> None:
    wanted = service(service={"type": "LoadBalancer"})
    its = live(one(children(wanted), "Service"), status={"loadBalancer": {"ingress": [address]}})
    assert status(wanted, its).url == url


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


def test_a_suspended_service_has_nothing_to_scale() -> None:
    """Its autoscaler says `ScalingDisabled`, which is no trouble and no alert."""
    assert "AutoscalingActive" in conditions(status(service(autoscaling={})))
    assert "AutoscalingActive" not in conditions(status(service(autoscaling={}, suspend=True)))


def test_nothing_wakes_what_keda_has_scaled_to_zero() -> None:
    """Its Prometheus knows of waiting audio by the pods alone, and none is left."""
    wanted = service(autoscaling={"minReplicas": 0, "keda": {"prometheusAddress": "http://prometheus:9090"}})
    keda = {"kind": "ScaledObject", "metadata": {"name": "speech"}}
    active = {**keda, "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "ScaledObjectReady"}]}}
    told = {one.type: one for one in status(wanted, active).conditions}["AutoscalingActive"]
    assert (told.status, told.reason) == ("False", "NothingWakes")


ACCEPTED = {"type": "Accepted", "status": "True", "reason": "Accepted"}
UNRESOLVED = {"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound", "message": "no such Service"}


@pytest.mark.parametrize(
    ("parents", "exposed"),
    [
        ([], ("False", "RoutePending")),
        ([{"conditions": []}], ("False", "RoutePending")),
        ([{"conditions": [ACCEPTED]}], ("True", "RouteAccepted")),
        ([{"conditions": [ACCEPTED, UNRESOLVED]}], ("False", "BackendNotFound")),
    ],
)
def test_a_route_is_a_way_in_once_every_gateway_has_taken_it(parents: list[Manifest], exposed: tuple[str, str]) -> None:
    wanted = service(gateway={"parentRefs": [{"name": "g"}], "hostnames": ["a.example.com"]})
    route = live(one(children(wanted), "HTTPRoute"), status={"parents": parents})
    assert conditions(status(wanted, route))["Exposed"] == exposed
