"""A status is written where it has changed, and its changes are posted."""

from __future__ import annotations

from typing import cast

import pytest

from tests.fakes.cluster import FakeCluster
from whisper_operator.api.status import Status
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.observe.cache import ObjectCache
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


def reporting(fake: FakeCluster) -> tuple[Reporter, ObjectCache]:
    cluster, cache = cast(Cluster, fake), ObjectCache(whole_cluster=True)
    cache.observe(SERVICE)
    return Reporter(cluster, cache, Recorder(cluster, "one")), cache


async def test_a_status_that_is_the_same_is_not_written() -> None:
    cluster = FakeCluster(SERVICE)
    reporter, _ = reporting(cluster)
    assert await reporter.report(METADATA, READY, READY.model_copy()) is False
    assert cluster.requests == []


async def test_a_changed_status_is_written_and_posted_and_seen() -> None:
    cluster = FakeCluster(SERVICE)
    reporter, cache = reporting(cluster)
    assert await reporter.report(METADATA, Status(), READY) is True
    assert [(verb, kind) for verb, kind, _ in cluster.requests] == [
        ("apply status", "WhisperService"),
        ("create", "Event"),
    ]
    assert (cache.service(("team", "speech")) or {})["status"]["conditions"][0]["type"] == "Ready"


@pytest.mark.parametrize(
    "change",
    [
        {"metadata": {**METADATA, "generation": 2}, "spec": {"model": {"name": "small"}}},
        {"metadata": {**METADATA, "annotations": {"whisper-operator.io/verify": "now"}}},
        {"metadata": {**METADATA, "labels": {"team": "a"}}},
        {"metadata": {**METADATA, "deletionTimestamp": "2026-01-01T00:00:00Z"}},
    ],
    ids=lambda change: ", ".join(change["metadata"].keys() - METADATA.keys()) or "spec",
)
async def test_a_change_that_the_answer_shows_first_is_left_to_its_watch_event(change: Manifest) -> None:
    """Else the event brings nothing new, and wakes nobody: seen on a busy API server, 2 ms apart."""
    cluster = FakeCluster({**SERVICE, **change})
    reporter, cache = reporting(cluster)
    assert await reporter.report(METADATA, Status(), READY) is True
    assert (cache.service(("team", "speech")) or {})["metadata"] == METADATA
    event = {**SERVICE, **change, "metadata": {**change["metadata"], "resourceVersion": "2"}}
    assert cache.observe(event, "MODIFIED") == {("team", "speech")}


@pytest.mark.parametrize(("reason", "known"), [("NotFound", False), ("", True)], ids=["no service", "no such API"])
async def test_a_service_that_does_not_exist_is_forgotten(reason: str, known: bool) -> None:
    """An API that is not served answers 404 as well, for a moment, while the API server starts."""
    cluster = FakeCluster(refusals={"WhisperService": ApiError("PATCH", 404, reason, "no")})
    reporter, cache = reporting(cluster)
    await reporter.report(METADATA, Status(), READY)
    assert (cache.service(("team", "speech")) is not None) is known


async def test_another_failure_fails_the_pass() -> None:
    reporter, _ = reporting(FakeCluster(refusals={"WhisperService": ApiError("PATCH", 500, "InternalError", "no")}))
    with pytest.raises(ApiError):
        await reporter.report(METADATA, Status(), READY)
