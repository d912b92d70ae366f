"""A child is created only where nothing has its name, and changed only where it is the one that was observed."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.fakes.cluster import FakeCluster
from tests.operator.samples import UID, children, claim, live, one, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.kube.client import Cluster
from whisper_operator.kube.errors import ApiError
from whisper_operator.observe.cache import DELETED, ObjectCache
from whisper_operator.reconcile.answers import Answers
from whisper_operator.reconcile.apply import Applier
from whisper_operator.reconcile.plan import ApplyPlan
from whisper_operator.reconcile.troubles import Troubles

WANTED = service(cache={"type": "EmptyDir"}, autoscaling={})
SERVICE = one(children(WANTED), "Service")
AUTOSCALER = one(children(WANTED), "HorizontalPodAutoscaler")
MODELS = claim(service())
ACCOUNT = one(children(WANTED), "ServiceAccount")
CONFLICT = ApiError("PATCH", 409, "Conflict", "it exists")


def known(manifest: Manifest, **metadata: Any) -> Manifest:
    """`manifest` as a watch shows it."""
    body = live(manifest)
    return {**body, "metadata": {**body["metadata"], "resourceVersion": "1", **metadata}}


def applier(cluster: FakeCluster, *seen: Manifest) -> Applier:
    cache = ObjectCache(whole_cluster=True)
    for body in seen:
        cache.observe(body)
    answers = Answers()
    answers.complete(("team", "speech"))
    return Applier(cast(Cluster, cluster), cache, WANTED, answers, Troubles())


async def carried_out(applying: Applier, *apply: Manifest, delete: tuple[Manifest, ...] = ()) -> bool:
    return await applying.carry_out(ApplyPlan(list(apply), list(delete)))


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


def told(applying: Applier) -> list[tuple[str, str, str]]:
    """Kind, reason and message of each child that could not be applied."""
    found = applying.troubles.refused
    return [(one.kind.kind if one.kind else "", one.reason, one.message) for one in found]


async def test_a_rejected_child_is_reported_with_the_api_servers_words() -> None:
    refused = ApiError("PATCH", 422, "Invalid", "spec.ports: too many")
    applying = applier(FakeCluster(refusals={"Service": refused}))
    assert await carried_out(applying, SERVICE)
    assert told(applying) == [("Service", "Rejected", "Service/speech: spec.ports: too many")]


@pytest.mark.parametrize("there", [(), (known(SERVICE),)], ids=["new", "known"])
async def test_a_denial_that_looks_like_a_conflict_is_reported(there: tuple[Manifest, ...]) -> None:
    """An admission webhook chooses the status of its denial."""
    denied = ApiError("PATCH", 409, "Conflict", 'admission webhook "a.example.com" denied the request: no team')
    applying = applier(FakeCluster(*there, refusals={"Service": denied}), *there)
    await carried_out(applying, SERVICE)
    assert told(applying) == [("Service", "Rejected", f"Service/speech: {denied.message}")]


DOWN = "failed calling webhook: connection refused"


@pytest.mark.parametrize(
    ("status", "reason", "message"),
    [(500, "InternalError", DOWN), (429, "TooManyRequests", "too many"), (503, "", "starting"), (0, "Timeout", "late")],
)
async def test_a_child_that_cannot_be_applied_costs_itself_alone(status: int, reason: str, message: str) -> None:
    cluster = FakeCluster(known(ACCOUNT), refusals={"Service": ApiError("PATCH", status, reason, message)})
    applying = applier(cluster, known(ACCOUNT))
    assert await carried_out(applying, SERVICE, AUTOSCALER, delete=(known(ACCOUNT),))
    assert [kind for kind, _ in cluster.writes] == ["Service", "HorizontalPodAutoscaler", "ServiceAccount"]
    assert told(applying) == [("Service", "ApplyFailed", f"Service/speech: {message}")]
    assert getattr(applying.troubles.error, "status", None) == status


async def test_a_child_that_cannot_be_deleted_costs_itself_alone() -> None:
    down = ApiError("DELETE", 500, "InternalError", DOWN)
    cluster = FakeCluster(known(AUTOSCALER), refusals={"HorizontalPodAutoscaler": down})
    applying = applier(cluster, known(AUTOSCALER))
    await carried_out(applying, SERVICE, delete=(known(AUTOSCALER),))
    assert ("Service", "speech") in cluster.writes
    text = f"deletion of HorizontalPodAutoscaler/speech: {DOWN}"
    assert told(applying) == [("HorizontalPodAutoscaler", "ApplyFailed", text)]


NOT_LONG_AGO = "2100-01-01T00:00:00Z"
"""However long the tests before have taken."""


def owned(uid: str, kind: str = "WhisperService", name: str = "speech") -> dict[str, Any]:
    return {"ownerReferences": [{"kind": kind, "name": name, "uid": uid, "controller": True}]}


async def test_a_child_that_another_controls_is_not_touched() -> None:
    cluster = FakeCluster(known(SERVICE, **owned("x", "Other", "x")), refusals={"Service": CONFLICT})
    applying = applier(cluster)
    await carried_out(applying, SERVICE)
    ((kind, reason, message),) = told(applying)
    assert (kind, reason) == ("Service", "NotOwned")
    assert "Service/speech exists and does not belong to this WhisperService: delete or rename it" in message


async def test_a_name_that_another_services_child_has_is_told_with_that_service() -> None:
    """As the Service of `a-metrics` for clients, and that of `a` for metrics."""
    cluster = FakeCluster(known(SERVICE, **owned("x", name="other")), refusals={"Service": CONFLICT})
    applying = applier(cluster)
    await carried_out(applying, SERVICE)
    ((_, reason, message),) = told(applying)
    assert reason == "NotOwned"
    assert message == (
        "Service/speech belongs to WhisperService other: give one of the two WhisperServices another name"
    )


async def test_no_pod_runs_under_an_account_that_another_has() -> None:
    kinds = ("ServiceAccount", "Service", "Deployment")
    account, client_service, deployment = (one(children(WANTED), kind) for kind in kinds)
    cluster = FakeCluster(known(account, **owned("x", "Other", "x")), refusals={"ServiceAccount": CONFLICT})
    applying = applier(cluster)
    await carried_out(applying, account, client_service, deployment)
    assert "Deployment" not in [kind for kind, _ in cluster.writes]
    assert ("Service", "speech") in cluster.writes
    assert "ServiceAccount/speech exists and does not belong" in applying.troubles.refused[0].message


@pytest.mark.parametrize(
    ("owner", "reasons"),
    [({"ownerReferences": []}, ["NotOwned"]), (owned("x", "Other", "x"), ["NotOwned"]), (owned("before"), [])],
    ids=["somebody's", "another controller's", "a predecessor's"],
)
async def test_no_pod_writes_to_a_claim_that_another_has(owner: dict[str, Any], reasons: list[str]) -> None:
    """By its name alone a service would reach another's files, or keep a predecessor's claim from going."""
    wanted = children(service(cache={"type": "EmptyDir"}, jobs={}))
    jobs, deployment = one(wanted, "PersistentVolumeClaim", "speech-jobs"), one(wanted, "Deployment")
    bare = {**jobs, "metadata": {**jobs["metadata"], "annotations": {}}}
    foreign = known(bare, **owner, **({} if owner.get("ownerReferences") else {"labels": {}}))
    cluster = FakeCluster(foreign, refusals={"PersistentVolumeClaim": CONFLICT})
    applying = applier(cluster)
    await carried_out(applying, jobs, SERVICE, deployment)
    assert ("Service", "speech") in cluster.writes
    assert "Deployment" not in [kind for kind, _ in cluster.writes]
    assert [reason for _, reason, _ in told(applying)] == reasons


async def test_a_child_of_a_deleted_predecessor_is_waited_for() -> None:
    applying = applier(FakeCluster(known(SERVICE, **owned("before")), refusals={"Service": CONFLICT}))
    await carried_out(applying, SERVICE)
    assert told(applying) == []
    assert applying.troubles.error is None, "its deletion is an event"


@pytest.mark.parametrize(
    "found",
    [None, known(SERVICE, **owned("before"), labels={}), known(SERVICE, **owned(UID), deletionTimestamp=NOT_LONG_AGO)],
    ids=["gone again", "a predecessor's, unwatched", "being deleted"],
)
async def test_a_conflict_that_a_later_pass_resolves_is_tried_again_and_not_told(found: Manifest | None) -> None:
    applying = applier(FakeCluster(*([found] if found else []), refusals={"Service": CONFLICT}))
    await carried_out(applying, SERVICE)
    assert told(applying) == []
    assert getattr(applying.troubles.error, "status", None) == 409


@pytest.mark.parametrize(
    ("metadata", "status"),
    [(owned("before"), None), ({**owned("before"), "labels": {}}, 409), ({**owned(UID), "labels": {}}, 409)],
    ids=["a predecessor's", "a predecessor's, unwatched", "ours, out of sight"],
)
async def test_what_keeps_a_name_for_long_is_told(metadata: dict[str, Any], status: int | None) -> None:
    """As the finalizer of a load balancer's controller that is gone: else the service has no Ingress without a word."""
    ending = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": ["example.com/hold"]}
    applying = applier(FakeCluster(known(SERVICE, **metadata, **ending), refusals={"Service": CONFLICT}))
    await carried_out(applying, SERVICE)
    ((kind, reason, message),) = told(applying)
    assert (kind, reason) == ("Service", "BeingDeleted")
    assert message == (
        "Service/speech is being deleted, and kept by example.com/hold: it is made again once it is gone"
    )
    assert getattr(applying.troubles.error, "status", None) == status


async def test_the_end_of_a_claim_is_waited_for() -> None:
    """Pods may hold it for long; its end is an event, but where no watch shows it."""
    ending = {**owned(UID), "deletionTimestamp": NOT_LONG_AGO}
    for metadata, status in ((ending, None), ({**ending, "labels": {}}, 409)):
        found = known(MODELS, **metadata)
        applying = applier(FakeCluster(found, refusals={"PersistentVolumeClaim": CONFLICT}))
        await carried_out(applying, MODELS)
        assert told(applying) == []
        assert getattr(applying.troubles.error, "status", None) == status


LOST = [
    ("no label", {"labels": {}}),
    ("another's labels", {"labels": {"app.kubernetes.io/managed-by": "Helm", "whisper-operator.io/service": "other"}}),
    ("no owner, and no labels", {"labels": {}, "ownerReferences": []}),
]


@pytest.mark.parametrize("metadata", [row for _, row in LOST], ids=[name for name, _ in LOST])
async def test_a_child_that_went_out_of_sight_gets_its_labels_back(metadata: dict[str, Any]) -> None:
    """Given a child that no watch shows, the next round of the same pass compares it as any other."""
    cluster = Taken(known(SERVICE, **{**owned(UID), **metadata}))
    applying = applier(cluster)
    assert await carried_out(applying, SERVICE)
    assert (
        cluster.objects["Service", "team", "speech"]["metadata"]["labels"].items()
        >= SERVICE["metadata"]["labels"].items()
    )
    assert await carried_out(applying, SERVICE)
    assert cluster.applied[-1]["metadata"]["uid"] == "uid-speech"
    assert told(applying) == []
    assert applying.troubles.error is None


class Taken(FakeCluster):
    """Refuses to create what exists."""

    async def apply(self, kind: Any, manifest: Manifest, *, manager: str = "", subresource: str = "") -> Manifest:
        if "resourceVersion" in manifest["metadata"] and await self.get(kind, "team", manifest["metadata"]["name"]):
            raise CONFLICT
        return await super().apply(kind, manifest, manager=manager, subresource=subresource)


@pytest.mark.parametrize(
    ("wanted", "body", "is_there"),
    [
        ([], known(SERVICE, **owned(UID), labels={}), False),
        ([("Service", "speech")], known(SERVICE, **owned(UID), labels={}), True),
        ([], known(SERVICE, **owned("another"), labels={}), True),
    ],
    ids=["unwanted", "wanted", "another's"],
)
async def test_a_child_out_of_sight_that_is_not_wanted_goes(
    wanted: list[tuple[str, str]], body: Manifest, is_there: bool
) -> None:
    cluster, cache, seen = FakeCluster(body), ObjectCache(whole_cluster=True), known(SERVICE)
    cache.observe(seen)
    cache.observe({**seen, "metadata": {**seen["metadata"], "resourceVersion": "2"}}, DELETED)
    await Applier(cast(Cluster, cluster), cache, WANTED, Answers(), Troubles()).prune_lost(wanted)
    assert (("Service", "team", "speech") in cluster.objects) is is_there
    assert cache.lost(("team", "speech")) == frozenset()


async def test_deleted_children_are_deleted_once() -> None:
    cluster = FakeCluster(known(SERVICE))
    applying = applier(cluster, known(SERVICE))
    assert await carried_out(applying, delete=(known(SERVICE),))
    assert not await carried_out(applying, delete=(known(SERVICE),))
    assert cluster.writes == [("Service", "speech")]
