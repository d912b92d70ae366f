"""A child is created only where nothing has its name, and changed only where it is the one that was observed."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.fakes.cluster import FakeCluster
from tests.operator.samples import UID, children, live, one, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.observe.cache import ObjectCache
from whisper_operator.observe.observed import Observed
from whisper_operator.reconcile.apply import Applier
from whisper_operator.reconcile.plan import ApplyPlan

WANTED = service(cache={"type": "EmptyDir"}, autoscaling={})
SERVICE = one(children(WANTED), "Service")
AUTOSCALER = one(children(WANTED), "HorizontalPodAutoscaler")
CONFLICT = ApiError("PATCH", 409, "Conflict", "it exists")


def known(manifest: Manifest, **metadata: Any) -> Manifest:
    """`manifest` as a watch shows it."""
    body = live(manifest)
    return {**body, "metadata": {**body["metadata"], "resourceVersion": "1", **metadata}}


def applier(cluster: FakeCluster, *seen: Manifest) -> Applier:
    cache = ObjectCache(whole_cluster=True)
    for body in seen:
        cache.observe(body)
    return Applier(cast(Cluster, cluster), cache, WANTED)


async def carried_out(applying: Applier, *apply: Manifest, delete: tuple[Manifest, ...] = ()) -> bool:
    return await applying.carry_out(ApplyPlan(list(apply), list(delete)), Observed())


async def test_a_new_child_is_created_and_a_known_one_is_named_by_its_uid() -> None:
    created, changed = FakeCluster(), FakeCluster(known(SERVICE))
    assert await carried_out(applier(created), SERVICE)
    assert await carried_out(applier(changed, known(SERVICE)), SERVICE)
    assert created.writes == changed.writes == [("Service", "speech")]
    assert created.applied[0]["metadata"]["resourceVersion"] == "1", "no object has that version"
    assert changed.applied[0]["metadata"]["uid"] == "uid-speech"


async def test_no_child_is_applied_twice_in_a_pass() -> None:
    cluster = FakeCluster()
    applying = applier(cluster)
    assert await carried_out(applying, SERVICE)
    assert not await carried_out(applying, SERVICE)
    assert cluster.writes == [("Service", "speech")]


async def test_the_old_autoscaler_goes_before_the_new_one_comes_and_others_go_last() -> None:
    cluster = FakeCluster(known(AUTOSCALER), known(SERVICE))
    keda = {**AUTOSCALER, "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject"}
    await carried_out(applier(cluster), keda, delete=(known(SERVICE), known(AUTOSCALER)))
    assert [(verb, kind) for verb, kind, _ in cluster.requests] == [
        ("delete", "HorizontalPodAutoscaler"),
        ("apply", "ScaledObject"),
        ("delete", "Service"),
    ]


async def test_a_rejected_child_is_reported_with_the_api_servers_words() -> None:
    refused = ApiError("PATCH", 422, "Invalid", "spec.ports: too many")
    applying = applier(FakeCluster(refusals={"Service": refused}))
    assert await carried_out(applying, SERVICE)
    (found,) = applying.refused
    assert (found.reason, found.message) == ("Rejected", "Service/speech: spec.ports: too many")


def owned(uid: str, kind: str = "WhisperService", name: str = "speech") -> dict[str, Any]:
    return {"ownerReferences": [{"kind": kind, "name": name, "uid": uid, "controller": True}]}


async def test_a_child_that_another_controls_is_not_touched() -> None:
    cluster = FakeCluster(known(SERVICE, **owned("x", "Other", "x")), refusals={"Service": CONFLICT})
    applying = applier(cluster)
    await carried_out(applying, SERVICE)
    (found,) = applying.refused
    assert found.reason == "NotOwned"
    assert "Service/speech exists and does not belong to this WhisperService: delete or rename it" in found.message


async def test_no_pod_runs_under_an_account_that_another_has() -> None:
    kinds = ("ServiceAccount", "Service", "Deployment")
    account, client_service, deployment = (one(children(WANTED), kind) for kind in kinds)
    cluster = FakeCluster(known(account, **owned("x", "Other", "x")), refusals={"ServiceAccount": CONFLICT})
    applying = applier(cluster)
    await carried_out(applying, account, client_service, deployment)
    assert "Deployment" not in [kind for kind, _ in cluster.writes]
    assert ("Service", "speech") in cluster.writes
    assert "ServiceAccount/speech exists and does not belong" in applying.refused[0].message


async def test_a_child_of_a_deleted_predecessor_is_waited_for() -> None:
    applying = applier(FakeCluster(known(SERVICE, **owned("before")), refusals={"Service": CONFLICT}))
    await carried_out(applying, SERVICE)
    assert applying.refused == []


@pytest.mark.parametrize("exists", [True, False], ids=["not observed yet", "gone again"])
async def test_a_conflict_that_a_later_pass_resolves_fails_this_one(exists: bool) -> None:
    bodies = [known(SERVICE, **owned(UID))] if exists else []
    with pytest.raises(ApiError, match="409 Conflict"):
        await carried_out(applier(FakeCluster(*bodies, refusals={"Service": CONFLICT})), SERVICE)


async def test_deleted_children_are_deleted_once() -> None:
    cluster = FakeCluster(known(SERVICE))
    applying = applier(cluster, known(SERVICE))
    assert await carried_out(applying, delete=(known(SERVICE),))
    assert not await carried_out(applying, delete=(known(SERVICE),))
    assert cluster.writes == [("Service", "speech")]
