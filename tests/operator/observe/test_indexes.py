"""What lists and watches show, as facts."""

from __future__ import annotations

import itertools
from typing import Any

from tests.operator.objects import service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.kinds import NODE
from whisper_operator.observe.cache import DELETED
from whisper_operator.observe.facts import Facts
from whisper_operator.observe.indexes import Survey

READY = {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"cpu": "2", "memory": "16393244Ki"}}


_versions = itertools.count(1)


def ingress(name: str, host: str, created: str, namespace: str = "team") -> Manifest:
    metadata = {"name": name, "namespace": namespace, "creationTimestamp": created}
    metadata["resourceVersion"] = str(next(_versions))
    rules = [{"host": host, "http": {"paths": [{"path": "/"}]}}]
    return {"kind": "Ingress", "metadata": metadata, "spec": {"rules": rules}}


def node(name: str, version: int | None = None, **status: Any) -> Manifest:
    """A Ready node; newer than the one before, where no version is said."""
    metadata = {"name": name, "resourceVersion": str(version or next(_versions))}
    return {"kind": "Node", "metadata": metadata, "status": READY | status}


KEY = ("team", "speech")


def surveyed(whole_cluster: bool = True) -> Survey:
    """A survey for whom one service is not Ready."""
    return Survey(whole_cluster, lambda: [KEY])


def facts(survey: Survey, **spec: Any) -> Facts:
    return survey.facts(service(**spec), 0.0)


def test_a_heartbeat_is_no_change_and_a_cordon_is() -> None:
    survey = surveyed()
    assert survey.see(node("a")) == {KEY}
    assert survey.see(node("a", images=[1, 2])) == set()
    assert survey.see({**node("a"), "spec": {"unschedulable": True}}) == {KEY}
    assert [one.takes_pods for one in facts(survey).nodes or ()] == [False]


def test_a_node_that_went_unseen_is_forgotten_by_the_next_list() -> None:
    survey = surveyed()
    survey.see(node("a"))
    survey.see(node("b"))
    assert survey.forget_absent(NODE, None, [("", "b")], next(_versions)) == {KEY}
    assert [one.name for one in facts(survey).nodes or ()] == ["b"]


def test_a_list_that_is_older_than_the_watch_changes_nothing() -> None:
    survey = surveyed()
    survey.see(node("a", 1))
    survey.see(node("b", 5))
    survey.see(node("a", 6), DELETED)
    assert survey.see(node("a", 1)) == set()
    assert survey.forget_absent(NODE, None, [("", "a")], version=4) == set()
    assert [one.name for one in facts(survey).nodes or ()] == ["b"]


def test_a_host_belongs_to_the_ingress_that_had_it_first() -> None:
    survey = surveyed()
    spec = {"ingress": {"host": "a.example.com"}}
    survey.see(ingress("web", "a.example.com", "2026-01-01"))
    survey.see(ingress("speech", "a.example.com", "2026-01-02"))
    assert facts(survey, **spec).taken == {("a.example.com", "/"): "team/web"}
    assert survey.see(ingress("web", "a.example.com", "2026-01-01"), DELETED) == {KEY}
    assert facts(survey, **spec).taken == {}


def test_an_ingress_wakes_nobody_but_who_waited_for_its_host() -> None:
    survey = surveyed()
    assert survey.see(ingress("web", "a.example.com", "2026-01-01")) == set()
    assert facts(survey, ingress={"host": "a.example.com"}).taken
    assert survey.see(ingress("web", "b.example.com", "2026-01-01")) == {KEY}
    assert survey.see(ingress("web", "c.example.com", "2026-01-01")) == set()


def test_one_host_behind_two_classes_is_two_ways_in() -> None:
    survey = surveyed()
    web = ingress("web", "a.example.com", "2026-01-01")
    survey.see({**web, "spec": {**web["spec"], "ingressClassName": "public"}})
    assert facts(survey, ingress={"host": "a.example.com", "className": "public"}).taken
    assert not facts(survey, ingress={"host": "a.example.com", "className": "internal"}).taken
    assert facts(survey, ingress={"host": "a.example.com"}).taken  # it may be any controller's


def test_an_ingress_that_moves_to_another_class_wakes_who_waited_for_its_host() -> None:
    survey = surveyed()
    web, mine = ingress("web", "a.example.com", "2026-01-01"), {"host": "a.example.com", "className": "public"}
    survey.see({**web, "spec": {**web["spec"], "ingressClassName": "public"}})
    assert facts(survey, ingress=mine).taken
    moved = ingress("web", "a.example.com", "2026-01-01")
    assert survey.see({**moved, "spec": {**moved["spec"], "ingressClassName": "internal"}}) == {KEY}
    assert not facts(survey, ingress=mine).taken


def test_in_namespaced_mode_the_cluster_is_unknown() -> None:
    assert facts(surveyed(whole_cluster=False)).nodes is None
    assert facts(surveyed(whole_cluster=False)).storage_classes is None


def warn(survey: Survey, version: int, reason: str, message: str, uid: str = "u") -> None:
    about = {"kind": "Pod", "namespace": "team", "name": "speech-1", "uid": uid}
    survey.see({"kind": "Event", "type": "Warning", "reason": reason, "message": message,
                "metadata": {"name": message, "resourceVersion": str(version)}, "involvedObject": about})  # fmt: skip


def test_the_newest_warning_about_a_pod_is_kept_in_whichever_order_they_are_listed() -> None:
    survey = surveyed()
    for version, message in ((7, "first"), (9, "third"), (8, "second")):
        warn(survey, version, "FailedMount", message)
    found = facts(survey).warnings["Pod", "speech-1"]
    assert (found.uid, found.reason, found.message) == ("u", "FailedMount", "third")


def test_of_a_job_it_is_kept_that_its_pod_may_not_be_created() -> None:
    survey = surveyed()
    about = {"kind": "Job", "namespace": "team", "name": "speech-prefetch-1", "uid": "u"}
    for reason in ("FailedCreate", "BackoffLimitExceeded"):
        survey.see({"kind": "Event", "type": "Warning", "reason": reason, "message": reason, "involvedObject": about,
                    "metadata": {"name": reason, "resourceVersion": "1"}})  # fmt: skip
    assert facts(survey).warnings["Job", "speech-prefetch-1"].reason == "FailedCreate"


def test_a_cause_is_not_hidden_by_a_warning_that_tells_less() -> None:
    survey = surveyed()
    warn(survey, 1, "FailedMount", "references non-existent secret key: token")
    warn(survey, 2, "FailedMount", "Unable to attach or mount volumes: context deadline exceeded")
    warn(survey, 3, "FailedToRetrieveImagePullSecret", "Unable to retrieve some image pull secrets")
    assert "token" in facts(survey).warnings["Pod", "speech-1"].message
    warn(survey, 4, "FailedMount", "Unable to attach or mount volumes: context deadline exceeded", uid="another pod's")
    assert facts(survey).warnings["Pod", "speech-1"].uid == "another pod's"
