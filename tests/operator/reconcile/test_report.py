"""A status is written where it has changed, and its changes are posted."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import cast

import pytest

from tests.fakes.cluster import FakeCluster
from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.observe.cache import ObjectCache, wake_none
from whisper_operator.observe.records import Key
from whisper_operator.reconcile.events import Recorder
from whisper_operator.reconcile.report import Reporter

METADATA: Manifest = {"name": "speech", "namespace": "team", "uid": "1", "generation": 1, "resourceVersion": "1"}
SERVICE: Manifest = {
    "apiVersion": "whisper-operator.io/v1alpha1",
    "kind": "WhisperService",
    "metadata": METADATA,
    "spec": {"model": {"name": "base"}},
}
READY = Status.model_validate({"conditions": [{"type": "Ready", "status": "True", "reason": "AsSpecified"}]})


def reporting(fake: FakeCluster, wake: Callable[[Collection[Key]], None] = wake_none) -> tuple[Reporter, ObjectCache]:
    cluster, cache = cast(Cluster, fake), ObjectCache(whole_cluster=True, wake=wake)
    cache.observe(SERVICE)
    return Reporter(cluster, cache, Recorder(cluster, "one")), cache


async def test_a_status_that_is_the_same_is_not_written() -> None:
    cluster = FakeCluster(SERVICE)
    reporter, _ = reporting(cluster)
    assert await reporter.report(SERVICE, READY, READY.model_copy()) is False
    assert cluster.requests == []


async def test_a_changed_status_is_written_and_posted_and_seen() -> None:
    cluster = FakeCluster(SERVICE)
    reporter, cache = reporting(cluster)
    assert await reporter.report(SERVICE, Status(), READY) is True
    assert [(verb, kind) for verb, kind, _ in cluster.requests] == [
        ("apply status", "WhisperService"),
        ("create", "Event"),
    ]
    assert (cache.service(("team", "speech")) or {})["status"]["conditions"][0]["type"] == "Ready"


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {**METADATA, "generation": 2}, "spec": {"model": {"name": "small"}}},
        {"metadata": METADATA, "spec": {"model": {"name": "base"}, "future": "x"}},
        {"metadata": {**METADATA, "annotations": {"whisper-operator.io/verify": "now"}}},
        {"metadata": {**METADATA, "labels": {"team": "a"}}},
        {"metadata": {**METADATA, "deletionTimestamp": "2026-01-01T00:00:00Z"}},
    ],
    ids=["spec", "a field that the watch leaves out", "annotation", "label", "deletion"],
)
async def test_a_change_that_the_answer_shows_first_is_followed_by_a_pass(change: Manifest) -> None:
    """Its watch event brings nothing new then, and wakes nobody: seen on a busy API server, 2 ms apart."""
    woken: list[Key] = []
    reporter, cache = reporting(FakeCluster({**SERVICE, **change}), woken.extend)
    assert await reporter.report(SERVICE, Status(), READY) is True
    assert woken == [("team", "speech")]
    assert (cache.service(("team", "speech")) or {})["metadata"] == {**change["metadata"], "resourceVersion": "2"}


async def test_a_status_that_is_written_wakes_nobody() -> None:
    woken: list[Key] = []
    reporter, _ = reporting(FakeCluster(SERVICE), woken.extend)
    assert await reporter.report(SERVICE, Status(), READY) is True
    assert woken == []


@pytest.mark.parametrize(("reason", "known"), [("NotFound", False), ("", True)], ids=["no service", "no such API"])
async def test_a_service_that_does_not_exist_is_forgotten(reason: str, known: bool) -> None:
    """An API that is not served answers 404 as well, for a moment, while the API server starts."""
    cluster = FakeCluster(refusals={"WhisperService": ApiError("PATCH", 404, reason, "no")})
    reporter, cache = reporting(cluster)
    await reporter.report(SERVICE, Status(), READY)
    assert (cache.service(("team", "speech")) is not None) is known


DENIED = 'admission webhook "a" denied the request: no such team'


@pytest.mark.parametrize(
    ("status", "reason", "message"),
    [(404, "NotFound", DENIED), (422, "Invalid", DENIED), (500, "", "failed calling webhook"), (403, "Forbidden", "")],
)
async def test_a_status_that_may_not_be_written_is_told_by_an_event(status: int, reason: str, message: str) -> None:
    """And the service goes on, whatever a webhook says is not there."""
    fake = FakeCluster(refusals={"WhisperService": ApiError("PATCH", status, reason, message)})
    reporter, cache = reporting(fake)
    with pytest.raises(ApiError):
        await reporter.report(SERVICE, Status(), READY)
    assert [body["reason"] for (kind, *_), body in fake.objects.items() if kind == "Event"] == ["StatusNotWritten"]
    assert cache.service(("team", "speech"))


async def test_a_server_that_is_overloaded_gets_no_event_for_each_status() -> None:
    fake = FakeCluster(refusals={"WhisperService": ApiError("PATCH", 429, "TooManyRequests", "try again")})
    with pytest.raises(ApiError):
        await reporting(fake)[0].report(SERVICE, Status(), READY)
    assert [kind for _, kind, _ in fake.requests] == ["WhisperService"]


async def test_another_failure_fails_the_pass() -> None:
    reporter, _ = reporting(FakeCluster(refusals={"WhisperService": ApiError("PATCH", 500, "InternalError", "no")}))
    with pytest.raises(ApiError):
        await reporter.report(SERVICE, Status(), READY)
