"""A service is planned anew where anything that its plan follows from is not as it was; else its plan is as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import example as of_example
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.cluster import FakeCluster, HasNames
from tests.operator.calls import counting
from tests.operator.passes import INSTALLATION, Passes, example, gpu_node, settled
from tests.operator.samples import pod, resolved, service
from tests.support.devices import class_body, gpu, slice_body
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.build import desired
from whisper_operator.objects import names
from whisper_operator.objects.diff import Deviation
from whisper_operator.objects.kinds import AUTOSCALER
from whisper_operator.observe.cache import DELETED, ObjectCache
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.records import Entry, ObjectId
from whisper_operator.reconcile.settled import SettledPasses, depends_on_time, plan_inputs

KEY = ("team", "speech")

COUNTED = {"nodes", "storage_classes", "slices", "device_classes", "quotas", "limit_ranges"}
"""Facts that `Facts.version` stands for."""


def at_version(version: str) -> WhisperService:
    found = service()
    return found.model_copy(update={"metadata": found.metadata.model_copy(update={"resource_version": version})})


SPEECH = at_version("1")


def claim(version: int) -> Mapping[str, Manifest]:
    return {"weights": {"metadata": {"uid": "1", "resourceVersion": str(version)}, "spec": {"volumeName": "v"}}}


OTHER_FACTS: dict[str, Any] = {
    "version": (0, 1),
    "taken": {("example.com", "/"): "other/one"},
    "warnings": {("Pod", "one"): "anything"},
    "other_budgets": ("theirs",),
    "rivals": ("HorizontalPodAutoscaler/theirs",),
    "front_rivals": ("HorizontalPodAutoscaler/theirs",),
    "awaited_nodes": frozenset({"uid"}),
    "secrets": {"keys": frozenset({"a"})},
    "config_maps": {"authority": None},
    "claims": claim(1),
    "claim_templates": claim(1),
    "accounts": claim(1),
    "gateways": {("", "public"): claim(1)["weights"]},
    "lacks_secrets": True,
    "lacks_claims": True,
    "progress": "anything",
    "jobs": "anything",
    "demand": "anything",
    "load": "anything",
    "store_reports": {"one": None},
}
"""Another value than at first for each fact that counts by itself."""


def test_every_fact_counts_but_the_time() -> None:
    assert {field.name for field in fields(Facts)} == {"now", *COUNTED, *OTHER_FACTS}


@pytest.mark.parametrize("name", OTHER_FACTS)
def test_another_fact_makes_another_plan(name: str) -> None:
    before, after = Facts(), replace(Facts(), **{name: OTHER_FACTS[name]})
    assert plan_inputs(SPEECH, Observed(facts=before), INSTALLATION) != plan_inputs(
        SPEECH, Observed(facts=after), INSTALLATION
    )


@pytest.mark.parametrize("name", ["claims", "claim_templates", "accounts"])
def test_another_version_of_a_named_object_makes_another_plan(name: str) -> None:
    first, second = (replace(Facts(), **{name: claim(version)}) for version in (1, 2))
    assert plan_inputs(SPEECH, Observed(facts=first), INSTALLATION) != plan_inputs(
        SPEECH, Observed(facts=second), INSTALLATION
    )


def test_another_service_child_answer_or_installation_makes_another_plan() -> None:
    kept, inputs = SettledPasses(), plan_inputs(SPEECH, Observed(), INSTALLATION)
    accepted = {("Service", "speech"): frozenset({Deviation("spec.type", '"A"', '"B"')})}
    others = [
        plan_inputs(at_version("2"), Observed(), INSTALLATION),
        plan_inputs(SPEECH, Observed(entries=(Entry("1", 1, KEY, b"{}", None),)), INSTALLATION),
        plan_inputs(SPEECH, Observed(accepted=accepted), INSTALLATION),
        plan_inputs(SPEECH, Observed(), replace(INSTALLATION, runtime_image="runtime:2")),
    ]
    for other in others:
        kept.keep(KEY, inputs, {})
        assert kept.find(KEY, inputs) == {}
        assert kept.find(KEY, other) is None
        assert kept.find(KEY, inputs) is None, "what has changed is not known to be settled when it changes back"


def test_a_service_that_has_gone_is_forgotten() -> None:
    kept, inputs = SettledPasses(), plan_inputs(SPEECH, Observed(), INSTALLATION)
    kept.keep(KEY, inputs, {})
    kept.forget(KEY)
    assert kept.find(KEY, inputs) is None


def with_version(body: Manifest, version: int, namespace: str | None = None) -> Manifest:
    there = {"namespace": namespace} if namespace else {}
    return {
        **body,
        "metadata": {**body["metadata"], "uid": body["metadata"]["name"], "resourceVersion": str(version), **there},
    }


def of_namespace(kind: str, hard: str) -> Manifest:
    return {"kind": kind, "metadata": {"name": "one", "namespace": "team"}, "spec": {"hard": {"pods": hard}}}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (gpu_node("a"), {**gpu_node("a"), "spec": {"unschedulable": True}}),
        (
            {"kind": "StorageClass", "metadata": {"name": "fast"}},
            {"kind": "StorageClass", "metadata": {"name": "fast"}, "allowVolumeExpansion": True},
        ),
        (slice_body("a", gpu("one")), {**slice_body("a", gpu("one"), gpu("two"))}),
        (class_body(), class_body(expression="false")),
        (of_namespace("ResourceQuota", "1"), of_namespace("ResourceQuota", "2")),
        (of_namespace("LimitRange", "1"), of_namespace("LimitRange", "2")),
    ],
    ids=lambda body: body["kind"],
)
def test_a_change_of_what_watches_show_as_facts_is_counted(first: Manifest, second: Manifest) -> None:
    """And the same again is not: most of what a node writes is its heartbeat."""
    cache = ObjectCache(whole_cluster=True)

    def version_after(body: Manifest, number: int) -> tuple[int, int]:
        cache.observe(with_version(body, number))
        return cache.facts(service(), 0.0).version

    at_first, same, other = version_after(first, 1), version_after(first, 2), version_after(second, 3)
    assert at_first == same != other
    cache.observe(with_version(second, 4), DELETED)
    assert cache.facts(service(), 0.0).version not in (at_first, other)


def test_a_change_in_another_namespace_is_none() -> None:
    cache = ObjectCache(whole_cluster=True)
    before = cache.facts(service(), 0.0).version
    cache.observe(with_version(of_namespace("ResourceQuota", "1"), 1, "other"))
    assert cache.facts(service(), 0.0).version == before


async def test_a_settled_service_is_built_once_and_again_after_a_change_of_it() -> None:
    passes = await settled("everything", speech_keys=["team-a"])
    for _ in range(2):
        with counting(desired) as calls:
            await passes.run()
        assert calls["desired"] == 0
        touch(passes)
        with counting(desired) as calls:
            await passes.run()
        assert calls["desired"] == 1


class Mutating(FakeCluster):
    """A policy sets a field of every Service that is applied, in the name of whoever applies it."""

    async def apply(self, kind: HasNames, manifest: Manifest, *, manager: str = "", subresource: str = "") -> Manifest:
        found = await super().apply(kind, manifest, manager=manager, subresource=subresource)
        if kind.kind != "Service":
            return found
        owned = {"manager": names.FIELD_MANAGER, "operation": "Apply", "fieldsV1": {"f:spec": {}}}
        metadata = {**found["metadata"], "managedFields": [owned]}
        return self.put({**found, "metadata": metadata, "spec": {**found["spec"], "type": "NodePort"}})


async def test_what_a_policy_keeps_from_being_as_applied_stays_told() -> None:
    passes = Passes(example("minimal"), Mutating())
    await passes.settle()
    told = {one["type"]: one["message"] for one in passes.status["conditions"]}["ChildrenMutated"]
    with counting(desired) as calls:
        await passes.run()
    assert calls["desired"] == 0
    assert {one["type"]: one["message"] for one in passes.status["conditions"]}["ChildrenMutated"] == told
    assert "Service/" in told


@pytest.mark.parametrize(
    ("there", "depends"),
    [
        ([], False),
        ([pod(names.SERVER)], False),
        ([{**pod(names.SERVER), "metadata": {**pod(names.SERVER)["metadata"], "deletionTimestamp": "t"}}], False),
        ([{"kind": "Ingress", "metadata": {"name": "speech", "deletionTimestamp": "t"}, "spec": {}}], True),
    ],
    ids=["nothing", "a pod", "a pod that ends", "a child that is being deleted"],
)
def test_time_alone_brings_something_to_do(there: list[Manifest], depends: bool) -> None:
    found = Observed({(body["kind"], body["metadata"]["name"]): body for body in there})
    assert depends_on_time(resolved(service(), found)) is depends


Change = Callable[[Passes], None]


def touch(passes: Passes) -> None:
    """A new version of the service that is as the one before."""
    passes.cache.observe(passes.cluster.put(passes.cluster.objects["WhisperService", *passes.key]))


def change_spec(**changes: Any) -> Change:
    def change(passes: Passes) -> None:
        found = passes.cluster.objects["WhisperService", *passes.key]
        metadata = {**found["metadata"], "generation": found["metadata"]["generation"] + 1}
        spec = {name: value for name, value in {**found["spec"], **changes}.items() if value is not None}
        passes.cache.observe(passes.cluster.put({**found, "metadata": metadata, "spec": spec}))

    return change


def edit(kind: str, **changes: Any) -> Change:
    """Somebody writes fields of the spec of each child of that kind."""

    def change(passes: Passes) -> None:
        for body in children(passes, kind):
            passes.cache.observe(passes.cluster.put({**body, "spec": {**body["spec"], **changes}}))

    return change


def delete(kind: str) -> Change:
    def change(passes: Passes) -> None:
        for body in children(passes, kind):
            gone = passes.cluster.objects.pop((kind, passes.key[0], body["metadata"]["name"]))
            passes.cache.observe(gone, DELETED)

    return change


def unlabel(kind: str) -> Change:
    """Somebody removes the label by which the child is watched: the watch says that it is gone."""

    def change(passes: Passes) -> None:
        for body in children(passes, kind):
            unlabelled = passes.cluster.put({**body, "metadata": {**body["metadata"], "labels": {}}})
            passes.cache.observe(unlabelled, DELETED)

    return change


def stray(passes: Passes) -> None:
    """A child of before, which has lost its label and is not wanted any more, comes to light."""
    owner = passes.cluster.objects["WhisperService", *passes.key]["metadata"]
    reference = {"kind": "WhisperService", "name": owner["name"], "uid": owner["uid"], "controller": True}
    metadata = {"name": owner["name"], "namespace": owner["namespace"], "ownerReferences": [reference]}
    passes.cluster.put({"kind": AUTOSCALER.kind, "metadata": metadata, "spec": {}})
    passes.cache.lose(passes.key, ObjectId(AUTOSCALER.kind, *passes.key))


def put(body: Manifest) -> Change:
    def change(passes: Passes) -> None:
        passes.cache.observe(passes.cluster.put(body))

    return change


def secret(*keys: str) -> Change:
    def change(passes: Passes) -> None:
        passes.cluster.secrets = {"speech-keys": frozenset(keys)} if keys else {}

    return change


def children(passes: Passes, kind: str) -> list[Manifest]:
    return [body for (of, *_), body in passes.cluster.objects.items() if of == kind]


CHANGES: dict[str, Change] = {
    "nothing": lambda _: None,
    "another language": change_spec(language="fr"),
    "suspended": change_spec(suspend=True),
    "resumed": change_spec(suspend=False),
    "no Ingress": change_spec(ingress=None),
    "another port": change_spec(service={"port": 8080}),
    "another strategy": change_spec(rollout={"strategy": "Replace"}),
    "an edited Deployment": edit("Deployment", minReadySeconds=77),
    "an edited Service": edit("Service", type="ExternalName"),
    "an edited policy": edit("NetworkPolicy", egress=[]),
    "a deleted Service": delete("Service"),
    "a deleted Deployment": delete("Deployment"),
    "deleted pods": delete("Pod"),
    "an unlabelled Ingress": unlabel("Ingress"),
    "an unlabelled account": unlabel("ServiceAccount"),
    "a stray autoscaler": stray,
    "no Secret": secret(),
    "a Secret": secret("team-a"),
    "another client": secret("team-b"),
    "a node that takes no pods": put({**gpu_node("a"), "spec": {"unschedulable": True}}),
    "a node": put(gpu_node("a")),
    "a quota": put(
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "few", "namespace": "team"},
            "spec": {"hard": {"pods": "1"}},
            "status": {"hard": {"pods": "1"}, "used": {"pods": "1"}},
        }
    ),
}


def outcome(passes: Passes) -> dict[Any, Any]:
    """Each object less its versions and times."""
    return {
        at: {
            "metadata": {name: body["metadata"].get(name) for name in ("labels", "annotations")},
            "spec": body.get("spec"),
            "conditions": [
                (one["type"], one["status"], one.get("reason"), one.get("message"))
                for one in body.get("status", {}).get("conditions", ())
            ],
        }
        for at, body in passes.cluster.objects.items()
        if body["kind"] != "Event"
    }


async def run_beside_one_that_is_planned_each_time(changes: list[Change]) -> None:
    """Runs passes after each change, of a service and of one that has another version before each pass."""
    ours, other = [await settled("everything", speech_keys=["team-a"]) for _ in range(2)]
    for change in changes:
        for passes in (ours, other):
            change(passes)
        for _ in range(3):
            since = len(ours.cluster.writes), len(other.cluster.writes)
            touch(other)
            await ours.run()
            await other.run()
            assert ours.cluster.writes[since[0] :] == other.cluster.writes[since[1] :]
            assert outcome(ours) == outcome(other)
            for passes in (ours, other):
                passes.cluster.play_controllers()
                passes.see_all()


@pytest.mark.slow
@settings(max_examples=25)
@of_example(["a stray autoscaler"])
@of_example(["no Secret", "a deleted Deployment", "a Secret"])
@given(st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=8))
def test_whatever_changes_is_answered_as_if_each_pass_planned_anew(changes: list[str]) -> None:
    asyncio.run(run_beside_one_that_is_planned_each_time([CHANGES[name] for name in changes]))
