"""Events tell what changed, never what stays."""

from __future__ import annotations

import copy
from typing import cast

import pytest

from tests.fakes.cluster import FakeCluster
from tests.operator.samples import NOW, claim, deployment, fetched, live, observed, resolved, service
from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build import front
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.reconcile.events import Recorder, Transition, images_put_back, transitions
from whisper_operator.status.assemble import observed_status


def status(reason: str = "AsSpecified", **conditions: str) -> Status:
    listed = [{"type": kind, "status": state, "reason": reason, "message": "m"} for kind, state in conditions.items()]
    return Status.model_validate({"conditions": listed})


def told(before: Status, after: Status) -> list[tuple[str, str]]:
    return [(note.type, note.reason) for note in transitions(before, after)]


def test_becoming_ready_is_told_once() -> None:
    assert told(status(Ready="False"), status(Ready="True")) == [("Normal", "Ready")]
    assert told(status(Ready="True"), status(Ready="True")) == []


def test_falling_asleep_and_waking_are_told_and_a_first_start_is_not() -> None:
    awake, asleep = status("Demanded", Awake="True"), status("Idle", Awake="False")
    assert told(Status(), awake) == []
    assert told(awake, asleep) == [("Normal", "Idle")]
    assert told(asleep, awake) == [("Normal", "Demanded")]


def test_a_stall_is_told_once_for_each_cause() -> None:
    stalled = status("SecretNotFound", Ready="False", Stalled="True", PreflightPassed="False")
    assert told(Status(), stalled) == [("Warning", "SecretNotFound")]
    assert told(stalled, stalled) == []


def test_a_child_that_cannot_be_applied_is_told_once() -> None:
    failing = status("ApplyFailed", Ready="False", Reconciling="True")
    assert told(status(Ready="True"), failing) == [("Warning", "ApplyFailed")]
    assert told(failing, failing) == []
    assert told(status("RollingOut", Reconciling="True"), status("LookupFailed", Reconciling="True")) == [
        ("Warning", "LookupFailed")
    ]


@pytest.mark.parametrize(("reason", "kind"), [("Rejected", "Stalled"), ("ApplyFailed", "Reconciling")])
def test_a_second_child_that_is_refused_is_told_too(reason: str, kind: str) -> None:
    one = status(reason, **{kind: "True", "Exposed": "False"})
    two = status(reason, **{kind: "True", "Exposed": "False", "AutoscalingActive": "False"})
    assert told(Status(), two) == [("Warning", reason)], "one Event names both"
    assert told(one, two) == [("Warning", reason)]
    assert told(two, two) == told(two, one) == []


def test_a_pod_in_trouble_is_told_by_its_cause() -> None:
    rolling = status("RollingOut", Ready="False", Available="False")
    crashing = status("CrashLoopBackOff", Ready="False", Available="False")
    assert told(Status(), rolling) == []
    assert told(rolling, crashing) == [("Warning", "CrashLoopBackOff")]


def test_a_label_that_a_policy_takes_away_is_told_once_for_each_child() -> None:
    def taken(reason: str, message: str) -> Status:
        one = {"type": "ChildrenMutated", "status": "True", "reason": reason, "message": message}
        return Status.model_validate({"conditions": [one]})

    unseen, more = taken("LabelTakenAway", "Deployment/a"), taken("LabelTakenAway", "Deployment/a, Service/a")
    assert told(Status(), unseen) == [("Warning", "LabelTakenAway")]
    assert told(unseen, unseen) == []
    assert told(unseen, more) == [("Warning", "LabelTakenAway")]
    assert told(Status(), taken("LetBe", "a container")) == []


def test_creating_a_service_tells_nothing_before_it_is_ready() -> None:
    wanted = service()
    first = observed_status(resolved(wanted, observed(claim(wanted))), (), NOW)
    there = [claim(wanted), fetched(wanted, claim(wanted))]
    second = observed_status(resolved(wanted, observed(*there, deployment(wanted, *there, readyReplicas=0))), (), NOW)
    assert told(Status(), first) == []
    assert told(first, second)[:-1] == []


def recorder(cluster: FakeCluster) -> Recorder:
    return Recorder(cast(Cluster, cluster), "one")


async def test_the_same_transition_counts_up_its_first_event() -> None:
    cluster = FakeCluster()
    posting = recorder(cluster)
    transition = Transition("Warning", "CrashLoopBackOff", "Reconcile", "x" * 5000)
    for now in (100.0, 160.0, 10_000.0):
        await posting.record(service().metadata, transition, now)
    assert [verb for verb, _, _ in cluster.requests] == ["create", "merge", "create"]
    first, second = (body for (kind, _, _), body in cluster.objects.items() if kind == "Event")
    assert first["series"]["count"] == 2
    assert "series" not in second
    assert len(first["note"].encode()) <= 1024


async def test_an_event_that_cannot_be_posted_holds_nothing_up() -> None:
    cluster = FakeCluster(refusals={"Event": ApiError("POST events", 403, "Forbidden", "no")})
    await recorder(cluster).record(service().metadata, Transition("Normal", "Ready", "Reconcile", "fine"), 0.0)
    assert cluster.requests == [("create", "Event", cluster.requests[0][2])]


def with_image(body: Manifest, image: str) -> Manifest:
    changed = copy.deepcopy(body)
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return changed


def test_an_image_that_is_put_back_is_told_and_one_that_a_policy_keeps_is_not() -> None:
    """`before`: the Deployment when the pass began; `after`: once it has applied everything."""
    wanted = service({"image": "runtime:1"}, cache={"type": "EmptyDir"})
    asked = deployment(wanted)
    rows = [("evil:1", "runtime:1", ["ImagePutBack"]), ("mirror/runtime:1", "mirror/runtime:1", [])]
    for before, after, reasons in [*rows, ("runtime:1", "runtime:1", [])]:
        found = resolved(wanted, observed(with_image(asked, after)))
        notes = list(images_put_back(observed(with_image(asked, before)), found))
        assert [note.reason for note in notes] == reasons
        assert all(before in note.text and "Deployment speech" in note.text for note in notes)


def test_an_image_of_the_front_that_is_put_back_is_told_too() -> None:
    wanted = service({"image": "runtime:1"}, cache={"type": "EmptyDir"}, front={})
    of_front = live(front.build(resolved(wanted, observed())) or {}, status={})
    (note,) = images_put_back(observed(with_image(of_front, "evil:1")), resolved(wanted, observed(of_front)))
    assert "Deployment speech-front had image evil:1 in container front" in note.text
