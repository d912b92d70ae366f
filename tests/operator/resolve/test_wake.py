"""How long the first pod takes, by the last wakes, and what keeps it from coming, in words for clients."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.operator.resolve.test_front import fronting
from tests.operator.resolve.test_zero import NOW, READY, ZERO, asleep
from tests.operator.samples import observed, pod, resolved, rolled_out, service
from whisper_operator.api import conditions as c
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.resolve.resolved import Resolved
from whisper_operator.resolve.scaling import ScaleStep
from whisper_operator.resolve.wake import WakeOutlook, is_awaited, resolve_outlook

WAKES = [{"scheduleSeconds": one, "startSeconds": 3, "loadSeconds": 10} for one in (9, 1, 2)]
WOKEN = {"scaleToZero": {"lastSleep": "2026-01-01T00:01:00Z", "lastWake": "2026-01-01T00:09:50Z", "wakes": WAKES}}
FACED = {"performance": {"realtimeFactor": 20.5}}
SCHEDULED = {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T00:09:52Z"}
UNPLACED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "node-7 is full",
}
RUNNING = {"state": {"running": {"startedAt": "2026-01-01T00:09:56Z"}}}
"""NOW is ten minutes past, as the wake is ten seconds old."""


def starting(*there: Manifest, status: dict[str, Any] = WOKEN, **facts: Any) -> Resolved:
    """A service whose first pod has been started."""
    of = service(status, **ZERO)
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 0)
    deployed = rolled_out(of, **counts)
    deployed = {**deployed, "spec": {**deployed["spec"], "replicas": 1}}
    return resolved(of, observed(deployed, *fronting(), *there, now=NOW, **facts))


def first(**status: Any) -> Manifest:
    found = pod("server", "speech-1", **status)
    found["metadata"]["creationTimestamp"] = "2026-01-01T00:09:50Z"
    return found


def seconds(found: Resolved) -> float | None:
    return resolve_outlook(found).at(NOW).expected_seconds


def test_a_wake_that_is_to_come_takes_what_each_step_took_in_the_middle() -> None:
    of = service({**WOKEN, **FACED}, **ZERO)
    found = resolve_outlook(resolved(of, observed(asleep(of), *fronting(), now=NOW))).at(NOW + 100)
    assert (found.expected_seconds, found.audio_speed, found.cannot_come) == (2 + 3 + 10, 20.5, None)


def test_nothing_is_known_before_the_first_wake() -> None:
    assert seconds(starting(first(), status={})) is None


@pytest.mark.parametrize(
    ("there", "left"),
    [
        ([], 1 + 3 + 10),
        ([first(conditions=[])], 1 + 3 + 10),
        ([first(conditions=[SCHEDULED])], 1 + 10),
        ([first(conditions=[SCHEDULED], containerStatuses=[RUNNING])], 6),
        ([first(), first(conditions=[SCHEDULED], containerStatuses=[RUNNING])], 6),
    ],
    ids=["no pod", "no node", "a node", "runs", "the one that is furthest"],
)
def test_on_the_way_what_is_left_of_the_step_and_the_next_ones_count(there: list[Manifest], left: float) -> None:
    """A step that takes longer than it ever did is still to take a second."""
    for number, one in enumerate(there):
        one["metadata"]["name"] = f"speech-{number}"
    assert seconds(starting(*there)) == left


def test_the_step_that_a_pass_has_just_taken_begins_now() -> None:
    of = service(WOKEN, **ZERO)
    found = replace(resolved(of, observed(asleep(of), *fronting(), now=NOW)), scaled=ScaleStep(1, c.DEMANDED))
    assert resolve_outlook(found).at(NOW + 1).expected_seconds == 1 + 3 + 10


WAITING = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "registry.internal/x: denied"}}}
CRASHED = {"state": {"terminated": {"exitCode": 1}}}
AGAIN = {"restartCount": 1, "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": CRASHED["state"]}
OOM = {"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}


@pytest.mark.parametrize(
    ("status", "early", "late"),
    [
        ({"conditions": [UNPLACED]}, None, "no node of the cluster has room for it"),
        ({"conditions": [SCHEDULED], "containerStatuses": [WAITING]}, None, "its image cannot be pulled"),
        ({"conditions": [SCHEDULED], "containerStatuses": [CRASHED]}, None, None),
        ({"conditions": [SCHEDULED], "containerStatuses": [OOM]}, None, None),
        ({"conditions": [SCHEDULED], "containerStatuses": [AGAIN]}, "ends again and again", "ends again and again"),
        ({"conditions": [SCHEDULED], "containerStatuses": [RUNNING]}, None, None),
    ],
    ids=["no node", "no image", "ended once", "out of memory once", "ends again", "loads"],
)
def test_clients_learn_what_keeps_the_pod_from_coming_once_it_does_not_pass(
    status: dict[str, Any], early: str | None, late: str | None
) -> None:
    found = resolve_outlook(starting(first(**status)))
    for at, says in ((NOW, early), (NOW + 15, late)):
        sentence = found.at(at).cannot_come
        assert (sentence is None) is (says is None)
        assert (says or "") in (sentence or "")
        assert not any(secret in (sentence or "") for secret in ("node-7", "registry.internal", "speech-1"))


def test_a_pod_that_may_not_be_created_is_known_at_once() -> None:
    found = starting()
    quota = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: team"}
    deployed = found.deployment or {}
    deployed["status"]["conditions"] = [quota]
    sentence = resolve_outlook(found).at(NOW).cannot_come
    assert sentence is not None
    assert sentence.startswith("No server can be started: the cluster refuses to create it")


def test_a_pod_for_which_a_node_is_added_is_waited_for() -> None:
    found = starting(first(conditions=[UNPLACED]), awaited_nodes=frozenset({"speech-1"}))
    assert resolve_outlook(found).at(NOW + 600).cannot_come is None


def test_what_kept_the_last_pod_is_no_word_on_the_next() -> None:
    of = service(WOKEN, **ZERO)
    leaving = first(conditions=[UNPLACED])
    found = resolved(of, observed(asleep(of), *fronting(), leaving, now=NOW))
    assert resolve_outlook(found).at(NOW + 600).cannot_come is None


def test_an_empty_outlook_says_nothing() -> None:
    found = WakeOutlook().at(NOW)
    assert (found.expected_seconds, found.audio_speed, found.cannot_come) == (None, None, None)


def test_a_pod_is_awaited_while_a_front_is_reached_and_none_serves() -> None:
    ready = pod("server", conditions=[READY])
    leaving = pod("server", conditions=[READY])
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:09:59Z"
    assert is_awaited(starting(first()))
    assert is_awaited(starting(leaving))
    assert not is_awaited(starting(ready))
    of = service(**ZERO)
    assert is_awaited(resolved(of, observed(asleep(of), *fronting(), ready))), "it is about to leave"
    without = service(cache={"type": "Image"})
    assert not is_awaited(resolved(without, observed(rolled_out(without))))
