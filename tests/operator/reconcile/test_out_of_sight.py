"""Children that no watch shows are read by each pass."""

from __future__ import annotations

from typing import cast

import pytest

from tests.fakes.cluster import FakeCluster
from tests.operator.samples import UID, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.observe.facts import Facts
from whisper_operator.reconcile.out_of_sight import look_at_unseen
from whisper_operator.reconcile.troubles import Troubles

KEY = ("team", "speech")


def deployment(version: int, *, owner: str = UID, labels: dict[str, str] | None = None) -> Manifest:
    reference = {"kind": "WhisperService", "name": "speech", "uid": owner, "controller": True}
    metadata = {"name": "speech", "namespace": "team", "uid": owner, "resourceVersion": str(version)}
    metadata |= {"labels": labels or {}, "ownerReferences": [reference]}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata}


async def looked_at(known: Manifest, *there: Manifest) -> tuple[Manifest | None, FakeCluster, Troubles]:
    """What the cache has of the Deployment after a look, given what it knew and what is there."""
    cluster, cache, troubles = FakeCluster(*there), ObjectCache(whole_cluster=True), Troubles()
    cache.observe_answer(KEY, known)
    await look_at_unseen(cast(Cluster, cluster), cache, service(), troubles)
    return cache.observed(KEY, Facts()).objects.get(("Deployment", "speech")), cluster, troubles


async def test_its_newest_version_is_taken_in() -> None:
    found, _, troubles = await looked_at(deployment(0), deployment(1))
    assert found is not None
    assert found["metadata"]["resourceVersion"] == "1"
    assert not troubles.has_any


@pytest.mark.parametrize("there", [(), (deployment(2, owner="another"),)], ids=["gone", "another's"])
async def test_one_that_is_gone_is_forgotten(there: tuple[Manifest, ...]) -> None:
    found, _, troubles = await looked_at(deployment(0), *there)
    assert found is None
    assert not troubles.has_any


async def test_what_a_watch_shows_is_not_read() -> None:
    _, cluster, _ = await looked_at(deployment(1, labels={"whisper-operator.io/service": "speech"}), deployment(2))
    assert cluster.requests == []


async def test_one_that_cannot_be_read_is_told_and_kept() -> None:
    cluster, cache, troubles = FakeCluster(), ObjectCache(whole_cluster=True), Troubles()

    async def refuse(*_: object) -> None:
        raise ApiError("GET", 500, "", "a webhook is down")

    cluster.get = refuse  # pyright: ignore[reportAttributeAccessIssue]
    cache.observe_answer(KEY, deployment(1))
    await look_at_unseen(cast(Cluster, cluster), cache, service(), troubles)
    assert [one.message for one in troubles.refused] == ["Deployment/speech could not be read: a webhook is down"]
    assert cache.out_of_sight(KEY)
