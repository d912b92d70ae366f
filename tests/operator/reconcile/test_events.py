"""Events tell what changed, never what stays."""

from __future__ import annotations

from typing import Any

from tests.operator.objects import NOW, claim, deployment, fetched, observed, resolved, service
from whisper_operator.api.status import Status
from whisper_operator.kube.errors import ApiError
from whisper_operator.reconcile.events import Recorder, Transition, transitions
from whisper_operator.status.assemble import observed_status


def status(reason: str = "AsSpecified", **conditions: str) -> Status:
    listed = [{"type": kind, "status": state, "reason": reason, "message": "m"} for kind, state in conditions.items()]
    return Status.model_validate({"conditions": listed})


def told(before: Status, after: Status) -> list[tuple[str, str]]:
    return [(note.type, note.reason) for note in transitions(before, after)]


def test_becoming_ready_is_told_once() -> None:
    assert told(status(Ready="False"), status(Ready="True")) == [("Normal", "Ready")]
    assert told(status(Ready="True"), status(Ready="True")) == []


def test_a_stall_is_told_once_for_each_cause() -> None:
    stalled = status("SecretNotFound", Ready="False", Stalled="True", PreflightPassed="False")
    assert told(Status(), stalled) == [("Warning", "SecretNotFound")]
    assert told(stalled, stalled) == []


def test_a_pod_in_trouble_is_told_by_its_cause() -> None:
    rolling = status("RollingOut", Ready="False", Available="False")
    crashing = status("CrashLoopBackOff", Ready="False", Available="False")
    assert told(Status(), rolling) == []
    assert told(rolling, crashing) == [("Warning", "CrashLoopBackOff")]


def test_creating_a_service_tells_nothing_before_it_is_ready() -> None:
    wanted = service()
    first = observed_status(resolved(wanted, observed(claim(wanted))), (), NOW)
    there = [claim(wanted), fetched(wanted, claim(wanted))]
    second = observed_status(resolved(wanted, observed(*there, deployment(wanted, *there, readyReplicas=0))), (), NOW)
    assert told(Status(), first) == []
    assert told(first, second)[:-1] == []


class FakeCluster:
    """The two requests of the recorder."""

    def __init__(self) -> None:
        self.created: list[dict[str, Any]] = []
        self.merged: list[dict[str, Any]] = []

    async def create(self, kind: object, manifest: dict[str, Any]) -> None:
        self.created.append(manifest)

    async def merge(self, kind: object, manifest: dict[str, Any]) -> None:
        self.merged.append(manifest)


async def test_the_same_note_counts_up_the_event_that_is_there() -> None:
    cluster = FakeCluster()
    recorder = Recorder(cluster, "one")  # type: ignore[arg-type]
    note = Transition("Warning", "CrashLoopBackOff", "Reconcile", "x" * 5000)
    for now in (100.0, 160.0, 10_000.0):
        await recorder.record(service().metadata, note, now)
    assert len(cluster.created) == 2
    assert cluster.merged[0]["series"]["count"] == 2
    assert cluster.merged[0]["metadata"]["name"] == cluster.created[0]["metadata"]["name"]
    assert len(cluster.created[0]["note"].encode()) <= 1024


async def test_an_event_that_cannot_be_posted_holds_nothing_up() -> None:
    cluster = FakeCluster()

    async def refuse(kind: object, manifest: dict[str, Any]) -> None:
        raise ApiError("POST events", 403, "Forbidden", "no")

    cluster.create = refuse  # type: ignore[method-assign]
    recorder = Recorder(cluster, "one")  # type: ignore[arg-type]
    await recorder.record(service().metadata, Transition("Normal", "Ready", "Reconcile", "fine"), 0.0)
