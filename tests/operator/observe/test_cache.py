"""The newest version counts, whichever way and in whichever order versions arrive."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.operator.samples import service
from tests.support.devices import class_body, gpu, slice_body
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import DEPLOYMENT, NODE, SERVICE
from whisper_operator.observe.cache import DELETED, ObjectCache
from whisper_operator.observe.facts import Facts

KEY = ("team", "speech")
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
_versions = itertools.count(100)


def body(kind: str, version: int, name: str = "speech", uid: str = "1", namespace: str = "team") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": str(version)}
    return {"kind": kind, "metadata": {**metadata, "labels": {"whisper-operator.io/service": "speech"}}}


def node(name: str, version: int) -> Manifest:
    return {
        "kind": "Node",
        "metadata": {"name": name, "uid": name, "resourceVersion": str(version)},
        "status": READY,
    }


def empty() -> ObjectCache:
    return ObjectCache(whole_cluster=True)


def version(cache: ObjectCache, kind: str = "Service") -> str | None:
    found = cache.observed(KEY, Facts()).objects.get((kind, "speech"))
    return found["metadata"]["resourceVersion"] if found else None


def test_an_older_version_changes_nothing() -> None:
    cache = empty()
    assert cache.observe(body("Service", 5)) == {KEY}
    assert cache.observe(body("Service", 4), "MODIFIED") == set()
    assert cache.observe(body("Service", 5), "MODIFIED") == set()
    assert cache.observe(body("Service", 6), "MODIFIED") == {KEY}
    assert version(cache) == "6"


def test_a_late_reply_does_not_bring_a_deleted_object_back() -> None:
    cache = empty()
    cache.observe(body("Service", 5))
    assert cache.observe(body("Service", 7), DELETED) == {KEY}
    assert cache.observe(body("Service", 6)) == set()
    assert version(cache) is None


def test_what_left_the_sight_of_the_watches_is_lost_and_may_come_back() -> None:
    """A watch by label says DELETED of what lost it, with the version of that very change."""
    cache = empty()
    cache.observe(body("Service", 5))
    cache.observe(body("Service", 7), DELETED)
    assert {(one.kind, one.name) for one in cache.lost(KEY)} == {("Service", "speech")}
    assert cache.observe(body("Service", 7)) == {KEY}
    cache.forget_lost(KEY, cache.lost(KEY))
    assert cache.lost(KEY) == frozenset()


def test_what_a_list_no_longer_holds_is_lost_and_what_we_deleted_is_not() -> None:
    cache = empty()
    for number, name in enumerate(("listed", "deleted")):
        cache.observe(body("Service", 5, name=name, uid=str(number)))
    cache.delete(KEY, body("Service", 5, name="deleted", uid="1"))
    cache.delete_absent(SERVICE, None, [], version=10)
    assert [one.name for one in cache.lost(KEY)] == ["listed"]
    assert cache.observe(body("Service", 5, name="deleted", uid="1")) == set(), "a late reply"


@pytest.mark.parametrize("answered", ["first", "between", "last"])
def test_a_child_that_a_finalizer_holds_is_known_whenever_the_answer_to_its_deletion_comes(answered: str) -> None:
    """The watch shows it being deleted once, and then nothing until the finalizer goes: it must not be lost."""
    cache = empty()
    cache.observe(body("Service", 5))
    seen, edited, ending = (body("Service", version) for version in (5, 6, 7))
    ending["metadata"]["deletionTimestamp"] = "2026-11-29T12:00:00Z"
    for step in {
        "first": (None, edited, ending),
        "between": (edited, None, ending),
        "last": (edited, ending, None),
    }[answered]:
        if step is None:
            cache.delete(KEY, seen)
        else:
            cache.observe(step)
    assert cache.observed(KEY, Facts()).objects["Service", "speech"] == ending
    assert cache.observe(ending, DELETED) == {KEY}
    assert not cache.observed(KEY, Facts()).objects


def test_the_end_of_a_predecessor_does_not_remove_its_successor() -> None:
    cache = empty()
    cache.observe(body("Service", 9, uid="2"))
    assert cache.observe(body("Service", 8, uid="1"), DELETED) == set()
    assert version(cache) == "9"


def test_a_list_forgets_what_was_deleted_unseen_but_not_what_is_newer() -> None:
    cache = empty()
    cache.observe(body("Service", 5))
    cache.observe(body("Service", 12, name="newer", uid="2"))
    assert cache.delete_absent(SERVICE, None, [], version=10) == {KEY}
    assert [name for _, name in cache.observed(KEY, Facts()).objects] == ["newer"]


def test_an_answer_that_is_older_than_the_last_list_brings_nothing_back() -> None:
    """Its object was created and deleted while the watch was broken, so that no event has shown its end."""
    cache = empty()
    cache.delete_absent(SERVICE, None, [], version=9)
    cache.delete_absent(SERVICE, None, [], version=4)
    cache.observe_answer(KEY, body("Service", 8))
    assert version(cache) is None
    cache.observe_answer(KEY, body("Service", 10))
    assert version(cache) == "10"


def test_an_answer_wakes_the_other_services_that_it_concerns() -> None:
    woken: set[tuple[str, str]] = set()
    cache = ObjectCache(whole_cluster=True, wake=woken.update)
    first = body("Service", 1)
    cache.observe(first)
    moved = body("Service", 2)
    moved["metadata"]["labels"]["whisper-operator.io/service"] = "other"
    cache.observe_answer(KEY, moved)
    assert woken == {("team", "other")}, "the pass over the service itself goes on"
    cache.delete(KEY, moved)
    cache.observe(body("WhisperService", 3, uid="2"))
    cache.delete_service(KEY, "2")
    assert woken == {("team", "other"), KEY}, "one more pass forgets what is kept of it"


def test_a_list_of_one_namespace_says_nothing_of_another() -> None:
    cache = empty()
    cache.observe(body("Service", 5))
    assert cache.delete_absent(SERVICE, "another", [], version=10) == set()
    assert version(cache) == "5"


def test_a_list_that_is_older_than_the_watch_changes_nothing() -> None:
    cache = empty()
    cache.observe(node("a", 1))
    cache.observe(node("b", 5))
    cache.observe(node("a", 6), DELETED)
    assert cache.observe(node("a", 1)) == set()
    assert cache.delete_absent(NODE, None, ["a"], version=4) == set()
    nodes = cache.facts(service(), 0.0).nodes
    assert [one.name for one in nodes or ()] == ["b"]


def test_a_service_that_is_not_there_is_forgotten_and_its_successor_is_not() -> None:
    cache = empty()
    cache.observe(body("WhisperService", 5))
    cache.delete_service(KEY, "another uid")
    assert cache.keys() == [KEY]
    cache.delete_service(KEY, "1")
    assert cache.keys() == []


def test_an_object_that_moves_to_another_service_concerns_both() -> None:
    cache = empty()
    cache.observe(body("Service", 5))
    moved = body("Service", 6)
    moved["metadata"]["labels"]["whisper-operator.io/service"] = "other"
    assert cache.observe(moved) == {KEY, ("team", "other")}
    assert version(cache) is None


def test_managers_are_kept_where_they_are_asked_for() -> None:
    cache = empty()
    for kind in ("Service", DEPLOYMENT.kind):
        one = body(kind, 1)
        one["metadata"]["managedFields"] = [{"manager": "x", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]
        cache.observe(one)
    objects = cache.observed(KEY, Facts()).objects
    assert "managedFields" not in objects["Service", "speech"]["metadata"]
    assert "managedFields" in objects["Deployment", "speech"]["metadata"]


def test_what_belongs_to_no_service_is_not_kept() -> None:
    one = body("Service", 1)
    del one["metadata"]["labels"]
    cache = empty()
    assert cache.observe(one) == set()
    assert cache.newest(one) is None


def event(about: str, reason: str, message: str, kind: str = "Pod") -> Manifest:
    involved = {"kind": kind, "namespace": "team", "name": about, "uid": "u"}
    metadata = {"name": message, "resourceVersion": str(next(_versions))}
    return {"kind": "Event", "type": "Warning", "reason": reason, "message": message,
            "metadata": metadata, "involvedObject": involved}  # fmt: skip


def test_a_warning_concerns_the_service_of_the_pod_or_claim_that_it_is_about() -> None:
    cache = empty()
    cache.observe(body("Pod", 1, name="speech-1"))
    cache.observe(body("PersistentVolumeClaim", 1, name="speech-models", uid="2"))
    assert cache.observe(event("speech-1", "FailedMount", "no volume")) == {KEY}
    assert cache.observe(event("speech-models", "ProvisioningFailed", "no disk", "PersistentVolumeClaim")) == {KEY}
    assert cache.observe(event("speech-2", "FailedMount", "nobody's")) == set()
    assert cache.observe(event("speech-1", "BackOff", "its status says it")) == set()


def test_a_warning_about_the_service_itself_concerns_nobody() -> None:
    """The operator writes them, and would wake itself."""
    cache = empty()
    cache.observe(body("WhisperService", 1))
    assert cache.observe(event("speech", "Stalled", "no", "WhisperService")) == set()


def test_a_warning_that_expires_concerns_nobody() -> None:
    cache = empty()
    cache.observe(body("Pod", 1, name="speech-1"))
    assert cache.observe(event("speech-1", "FailedMount", "no volume"), DELETED) == set()


def warned(cache: ObjectCache) -> dict[tuple[str, str], str]:
    return {at: found.message for at, found in cache.facts(service(), 0.0).warnings.items()}


def test_a_warning_that_comes_before_its_pod_is_kept_for_it() -> None:
    cache = empty()
    cache.observe(event("speech-1", "FailedMount", "no volume"))
    assert warned(cache) == {}
    cache.observe(body("Pod", 1, name="speech-1"))
    assert warned(cache) == {("Pod", "speech-1"): "no volume"}


def test_a_warning_goes_with_its_pod_its_event_or_its_service() -> None:
    cache = empty()
    cache.observe(body("WhisperService", 1))
    for end in (body("Pod", 10_001, "speech-1"), event("speech-1", "", "no volume"), body("WhisperService", 10_003)):
        cache.observe(body("Pod", next(_versions), name="speech-1", uid=f"pod-{end['kind']}"))
        cache.observe(event("speech-1", "FailedMount", "no volume"))
        assert warned(cache)
        if end["kind"] == "Pod":
            end["metadata"]["uid"] = "pod-Pod"
        cache.observe(end, DELETED)
        assert warned(cache) == {}


def test_devices_and_classes_are_facts_for_services_with_a_gpu() -> None:
    cache = empty()
    for found in (slice_body("node", gpu("a")), class_body(resource="nvidia.com/gpu")):
        found["metadata"] |= {"uid": found["kind"], "resourceVersion": "1"}
        cache.observe(found)
    facts = cache.facts(service(gpu={}), 0.0)
    assert ([one.pool for one in facts.slices], list(facts.device_classes or ())) == (["node"], ["gpu"])
    assert cache.facts(service(), 0.0).slices == ()
    assert ObjectCache(whole_cluster=False).facts(service(gpu={}), 0.0).device_classes is None


def test_what_has_not_changed_is_taken_from_the_answer_before() -> None:
    cache = empty()
    cache.observe(body("Service", 5))
    cache.observe(body("Deployment", 6))
    before = cache.observed(KEY, Facts())
    cache.observe(body("Deployment", 7))
    after = cache.observed(KEY, Facts(), before)
    assert after.objects["Service", "speech"] is before.objects["Service", "speech"]
    assert after.objects["Deployment", "speech"]["metadata"]["resourceVersion"] == "7"
