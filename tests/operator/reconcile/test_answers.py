"""What a policy made of an apply is no drift; what somebody edited is, until it comes back again and again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.operator.samples import observed
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.diff import Deviation
from whisper_operator.objects.kinds import DEPLOYMENT
from whisper_operator.reconcile.answers import Answers

KEY = ("team", "speech")
SPEC = {"paused": False, "template": {"spec": {"containers": [{"name": "server"}]}}}
MANIFEST: Manifest = {"kind": "Deployment", "metadata": {"name": "speech"}, "spec": SPEC}
SIDECAR = 'k:{"name":"sidecar"}'
OURS = {"f:spec": {"f:paused": {}, "f:template": {"f:spec": {"f:containers": {'k:{"name":"server"}': {"f:name": {}}}}}}}
THEIRS = {"f:spec": {"f:template": {"f:spec": {"f:containers": {SIDECAR: {"f:name": {}}}}}}}


def live(*containers: str, uid: str = "1", editor: Any = None) -> Manifest:
    """The Deployment without `paused`, for the API server drops false."""
    managers = [{"manager": "whisper-operator", "operation": "Apply", "fieldsV1": OURS}]
    if editor:
        managers.append({"manager": "kubectl-edit", "operation": "Update", "fieldsV1": editor})
    spec = {"template": {"spec": {"containers": [{"name": name} for name in containers]}}}
    return {**MANIFEST, "metadata": {"name": "speech", "uid": uid, "managedFields": managers}, "spec": spec}


def drift(answers: Answers, body: Manifest) -> list[str]:
    there = observed(body)
    seen = replace(there, accepted=answers.of(KEY, there))
    return sorted(one.path for one in seen.drift(DEPLOYMENT, "speech", MANIFEST))


def test_what_an_apply_ended_in_is_no_drift_and_what_comes_later_is() -> None:
    answers = Answers()
    assert drift(answers, live("server")) == ["spec.paused"]
    answers.keep(KEY, MANIFEST, live("server", "sidecar"))
    assert drift(answers, live("server", "sidecar")) == []
    assert drift(answers, live("server", "sidecar", "more")) == ["spec.template.spec.containers[more]"]
    assert drift(answers, live("server", uid="2")) == ["spec.paused"], "another object of its name"
    answers.forget(KEY)
    assert drift(answers, live("server")) == ["spec.paused"]


def test_what_a_policy_takes_away_is_an_answer_though_nobody_owns_it_and_what_an_editor_adds_is_none() -> None:
    """As a label that is stripped at every write, beside which somebody has added a container."""
    labelled = {**MANIFEST, "metadata": {"name": "speech", "labels": {"a": "b"}}}
    answers, answer = Answers(), live("server", "sidecar", editor=THEIRS)
    answers.keep(KEY, labelled, answer)
    found = {one.path for one in answers.drift(KEY, labelled, answer)}
    assert found == {"spec.template.spec.containers[sidecar]"}


def test_after_a_restart_the_field_managers_tell() -> None:
    answers = Answers()
    assert not answers.are_complete(KEY)
    assert answers.accept(KEY, MANIFEST, live("server", "sidecar"))
    assert drift(answers, live("server", "sidecar")) == []
    edited = Answers()
    assert not edited.accept(KEY, MANIFEST, live("server", "sidecar", editor=THEIRS))
    assert "spec.template.spec.containers[sidecar]" in drift(edited, live("server", "sidecar"))


def taken_back(answers: Answers, body: Manifest, now: float) -> list[Deviation]:
    """The edits that are found and taken back."""
    found = answers.edits(MANIFEST, body, now)
    answers.taken_back(MANIFEST, live("server"), found, now)
    return found


def test_an_addition_that_comes_back_again_and_again_stays() -> None:
    answers, body = Answers(), live("server", "sidecar", editor=THEIRS)
    assert [len(taken_back(answers, body, now)) for now in (0.0, 1.0, 2.0, 3.0)] == [1, 1, 1, 0]
    answers.keep(KEY, MANIFEST, body)
    assert drift(answers, body) == []


def test_an_addition_that_comes_back_after_a_while_is_taken_back() -> None:
    answers, body = Answers(), live("server", "sidecar", editor=THEIRS)
    assert all(taken_back(answers, body, now) for now in (0.0, 100.0, 200.0, 300.0, 400.0))


def test_an_addition_that_is_there_again_at_once_stays_for_good() -> None:
    """Given what a policy adds to every write, with an editor for its owner, or a default of a restored object."""
    answers, body = Answers(), live("server", "sidecar", editor=THEIRS)
    answers.taken_back(MANIFEST, body, answers.edits(MANIFEST, body, 0.0), 0.0)
    assert answers.edits(MANIFEST, body, 100_000.0) == []
    answers.keep(KEY, MANIFEST, body)
    assert drift(answers, body) == []


def test_an_addition_that_could_not_be_taken_back_has_not_come_back() -> None:
    """Given a Deployment whose status is written all the time, so that our patches meet conflicts."""
    answers, body = Answers(), live("server", "sidecar", editor=THEIRS)
    assert all(answers.edits(MANIFEST, body, now) for now in (0.0, 1.0, 2.0, 3.0, 4.0))
