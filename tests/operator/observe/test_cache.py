"""The newest version counts, whichever way and in whichever order versions arrive."""

from __future__ import annotations

from typing import Any

from whisper_operator.objects.kinds import DEPLOYMENT, SERVICE
from whisper_operator.observe.cache import Store
from whisper_operator.observe.facts import Facts

KEY = ("team", "speech")


def body(kind: str, version: int, name: str = "speech", uid: str = "1", namespace: str = "team") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": str(version)}
    return {"kind": kind, "metadata": {**metadata, "labels": {"whisper-operator.io/service": "speech"}}}


def version(store: Store, kind: str = "Service") -> str | None:
    found = store.observed(KEY, Facts()).objects.get((kind, "speech"))
    return found["metadata"]["resourceVersion"] if found else None


def test_an_older_version_changes_nothing() -> None:
    store = Store()
    assert store.see(body("Service", 5)) == KEY
    assert store.see(body("Service", 4), "MODIFIED") is None
    assert store.see(body("Service", 5), "MODIFIED") is None
    assert store.see(body("Service", 6), "MODIFIED") == KEY
    assert version(store) == "6"


def test_a_late_reply_does_not_bring_a_deleted_object_back() -> None:
    store = Store()
    store.see(body("Service", 5))
    assert store.see(body("Service", 7), "DELETED") == KEY
    assert store.see(body("Service", 6)) is None
    assert version(store) is None


def test_the_end_of_a_predecessor_does_not_remove_its_successor() -> None:
    store = Store()
    store.see(body("Service", 9, uid="2"))
    assert store.see(body("Service", 8, uid="1"), "DELETED") is None
    assert version(store) == "9"


def test_a_list_forgets_what_was_deleted_unseen_but_not_what_is_newer() -> None:
    store = Store()
    store.see(body("Service", 5))
    store.see(body("Service", 12, name="newer", uid="2"))
    assert store.forget_absent(SERVICE, None, [], version=10) == {KEY}
    assert [name for _, name in store.observed(KEY, Facts()).objects] == ["newer"]


def test_a_list_of_one_namespace_says_nothing_of_another() -> None:
    store = Store()
    store.see(body("Service", 5))
    assert store.forget_absent(SERVICE, "another", [], version=10) == set()
    assert version(store) == "5"


def test_a_service_that_is_not_there_is_forgotten_and_its_successor_is_not() -> None:
    store = Store()
    store.see(body("WhisperService", 5))
    store.forget_service(KEY, "another uid")
    assert store.services() == [KEY]
    store.forget_service(KEY, "1")
    assert store.services() == []


def test_managers_are_kept_where_they_are_asked_for() -> None:
    store = Store()
    for kind in ("Service", DEPLOYMENT.kind):
        one = body(kind, 1)
        one["metadata"]["managedFields"] = [{"manager": "x"}]
        store.see(one)
    objects = store.observed(KEY, Facts()).objects
    assert "managedFields" not in objects["Service", "speech"]["metadata"]
    assert "managedFields" in objects["Deployment", "speech"]["metadata"]


def test_what_belongs_to_no_service_is_not_kept() -> None:
    one = body("Service", 1)
    del one["metadata"]["labels"]
    assert Store().see(one) is None
