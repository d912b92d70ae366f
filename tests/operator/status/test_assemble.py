"""The whole status: what Ready follows from, and what it keeps."""

from __future__ import annotations

import pytest

from tests.operator.resolve.preflight.findings import DEFAULT
from tests.operator.samples import NOW, children, live, node, observed, one, resolved, service
from tests.operator.statuses import all_of, conditions, status
from whisper_operator.api import conditions as c
from whisper_operator.api.status import Status
from whisper_operator.objects.kinds import INGRESS, SERVICE
from whisper_operator.status.assemble import as_json, kept_status, observed_status, stalled_status
from whisper_operator.status.refused import Refusal

LATER = "2026-01-01T00:01:00Z"


def test_a_service_as_it_should_be() -> None:
    found = status(service(), *all_of(service()))
    assert conditions(found) == {
        "Ready": ("True", "AsSpecified"),
        "PreflightPassed": ("True", "ChecksPassed"),
        "ModelCached": ("True", "Cached"),
        "Available": ("True", "AsSpecified"),
        "RolledOut": ("True", "AsSpecified"),
    }
    assert found.model is not None
    assert (found.model.name, found.model.wanted) == ("base", None)
    counts = found.desired_replicas, found.replicas, found.ready_replicas, found.available_replicas
    assert (counts, found.required_replicas, found.observed_generation) == ((1, 1, 1, 1), 1, 2)
    assert found.url == "http://speech.team.svc"
    assert found.selector == (
        "app.kubernetes.io/name=whisper,app.kubernetes.io/instance=speech,app.kubernetes.io/component=server,"
        "whisper-operator.io/service=speech"
    )


def test_pods_that_are_wanted_are_told_apart_from_those_that_are_there() -> None:
    found = status(service(replicas=3), *all_of(service(replicas=3), replicas=3, readyReplicas=2, availableReplicas=1))
    counts = found.desired_replicas, found.replicas, found.ready_replicas, found.available_replicas
    assert counts == (3, 3, 2, 1)


def test_a_check_before_pods_is_listed_where_it_did_not_pass() -> None:
    """Each write goes through the whole object, of which the checks that passed would be a third."""
    guarded = service(auth={"secretRef": {"name": "keys"}})
    found = {one.name: one.passed for one in status(guarded, secrets={"keys": None}).preflight}
    assert found["api keys"] is False
    assert found["gpu there"] is None, "only namespaces may be read"
    assert True not in found.values()
    right = {"secrets": {"keys": frozenset({"team"})}, "nodes": (node(),), "storage_classes": {"std": DEFAULT}}
    assert status(guarded, **right).preflight == ()


BEFORE = {
    "conditions": [{"type": "Ready", "status": "True", "reason": "AsSpecified"}],
    "observedGeneration": 1,
    "requiredReplicas": 1,
}


@pytest.mark.parametrize(
    ("counts", "promised"),
    [
        pytest.param({}, 2, id="all are there"),
        pytest.param({"availableReplicas": 2}, 1, id="one is not, and the change goes on"),
    ],
)
def test_the_status_that_says_a_change_is_carried_out_promises_its_pods(counts: dict[str, int], promised: int) -> None:
    """At once: no later pass may come, as after a restart of the operator in the middle of the change."""
    scaled = service(BEFORE, replicas=3)
    found = status(scaled, *all_of(scaled, **{"replicas": 3, "updatedReplicas": 3, "readyReplicas": 3, **counts}))
    assert found.required_replicas == promised


def test_the_image_is_recorded_once_pods_may_run_it() -> None:
    """A default that no pod was given yet makes way for the next one."""
    assert status(service()).image is None
    assert status(service(), *all_of(service())).image == "runtime:1"
    kept = service({"image": "runtime:0"})
    assert status(kept).image == "runtime:0"
    assert status(service({"image": "runtime:0"}, image={"tag": "2"}), *all_of(kept)).image == "runtime:2"


@pytest.mark.parametrize(
    "lag", [{"observedGeneration": 0}, {"updatedReplicas": 0}, {"availableReplicas": 0}, {"replicas": 2}]
)
def test_a_rollout_under_way(lag: dict[str, int]) -> None:
    found = conditions(status(service(), *all_of(service(), **lag)))
    assert found["Ready"] == ("False", "RollingOut")
    assert found["Reconciling"][0] == "True"
    assert "Stalled" not in found


def test_a_missing_secret_waits_for_the_user() -> None:
    found = status(service(auth={"secretRef": {"name": "keys"}}), *all_of(service()), secrets={"keys": None})
    assert conditions(found)["Stalled"] == ("True", "SecretNotFound")
    assert "keys" in found.conditions[0].message


FAILING = Refusal(INGRESS, "speech", c.APPLY_FAILED, "Ingress/speech: the webhook is down")
NO_SERVICE = Refusal(SERVICE, "speech", c.APPLY_FAILED, "Service/speech: the webhook is down")


def test_what_cannot_be_applied_is_told_before_what_goes_on() -> None:
    there = live(one(children(service()), "Service"))
    found = conditions(observed_status(resolved(service(), observed(*all_of(service()), there)), (FAILING,), NOW))
    assert (found["Ready"], found["Reconciling"]) == (("True", "Serving"), ("True", "ApplyFailed"))
    rolling = resolved(service(), observed(*all_of(service(), updatedReplicas=0)))
    assert conditions(observed_status(rolling, (FAILING,), NOW))["Reconciling"] == ("True", "ApplyFailed")


def test_what_a_service_cannot_serve_without_blocks_ready() -> None:
    found = observed_status(resolved(service(), observed(*all_of(service()))), (NO_SERVICE, FAILING), NOW)
    assert conditions(found)["Ready"] == ("False", "ApplyFailed")
    assert found.conditions[0].message.startswith("Service/speech: the webhook is down")


def test_a_service_that_serves_stays_ready_while_a_child_cannot_be_put_right() -> None:
    there = live(one(children(service()), "Service"))
    found = observed_status(resolved(service(), observed(*all_of(service()), there)), (NO_SERVICE, FAILING), NOW)
    assert conditions(found)["Ready"] == ("True", "Serving")


def test_what_only_the_user_can_help_is_told_first_and_the_rest_with_it() -> None:
    refused = Refusal(INGRESS, "speech", c.REJECTED, "Ingress/speech: denied")
    found = observed_status(resolved(service(), observed(*all_of(service()))), (refused, FAILING), NOW)
    (stalled,) = (one for one in found.conditions if one.type == "Stalled")
    assert stalled.message == "Ingress/speech: denied; Ingress/speech: the webhook is down"
    assert "Reconciling" not in conditions(found)


def test_where_nothing_could_be_judged_the_status_stays_and_says_so() -> None:
    unread = Refusal(None, "claim", c.LOOKUP_FAILED, "PersistentVolumeClaim team/x could not be read")
    before = observed_status(resolved(service(), observed(*all_of(service()))), (), NOW)
    after = kept_status(before, 3, (unread,), LATER)
    assert conditions(after) == {**conditions(before), "Reconciling": ("True", "LookupFailed")}
    assert (after.observed_generation, after.replicas) == (2, 1), "of the spec that was judged"
    first = kept_status(Status(), 1, (unread,), NOW)
    assert conditions(first) == {"Ready": ("Unknown", "LookupFailed"), "Reconciling": ("True", "LookupFailed")}


def test_suspended_is_ready() -> None:
    asleep = service(suspend=True)
    assert conditions(status(asleep, *all_of(asleep)))["Ready"] == ("True", "Suspended")
    assert conditions(status(asleep, *all_of(service())))["Ready"] == ("False", "Suspending")


def test_a_transition_moves_its_time_and_nothing_else_does() -> None:
    before = status(service(), *all_of(service()))
    same = service(status=as_json(before))
    assert observed_status(resolved(same, observed(*all_of(same))), (), LATER) == before
    broken = observed_status(resolved(same, observed(*all_of(same, availableReplicas=0))), (), LATER)
    times = {one.type: one.last_transition_time for one in broken.conditions}
    assert times == {
        "Ready": LATER,
        "Reconciling": LATER,
        "PreflightPassed": NOW,
        "ModelCached": NOW,
        "Available": LATER,
        "RolledOut": LATER,
    }


def test_a_refused_spec_keeps_what_was_observed_and_the_generation_that_it_was_observed_of() -> None:
    before = status(service(), *all_of(service()))
    after = stalled_status(before, before, 3, c.NOT_IMPLEMENTED, "spec.redis is not implemented", LATER)
    assert conditions(after)["Ready"] == ("True", "Serving")
    assert conditions(after)["Stalled"] == ("True", "NotImplemented")
    assert conditions(after)["Available"] == ("True", "AsSpecified")
    assert (after.model, after.ready_replicas, after.observed_generation) == (before.model, 1, 3)
    assert {one.type: one.observed_generation for one in after.conditions} == {
        "Ready": 3,
        "Stalled": 3,
        "PreflightPassed": 2,
        "ModelCached": 2,
        "Available": 2,
        "RolledOut": 2,
    }


def test_what_is_judged_by_the_last_accepted_spec_is_told_beside_the_refusal() -> None:
    before = status(service(), *all_of(service()))
    judged = status(service(), *all_of(service(), availableReplicas=0, readyReplicas=0))
    after = stalled_status(judged, before, 3, c.INVALID_SPEC, "spec.future is unknown", LATER)
    assert conditions(after) == {
        "Ready": ("False", "InvalidSpec"),
        "Stalled": ("True", "InvalidSpec"),
        "PreflightPassed": ("True", "ChecksPassed"),
        "ModelCached": ("True", "Cached"),
        "Available": ("False", "RollingOut"),
        "RolledOut": ("False", "RollingOut"),
    }
    assert after.ready_replicas == 0


def test_a_refused_spec_of_a_service_that_never_served_is_not_ready() -> None:
    assert conditions(stalled_status(Status(), Status(), 1, c.INVALID_SPEC, "spec.replicas", NOW)) == {
        "Ready": ("False", "InvalidSpec"),
        "Stalled": ("True", "InvalidSpec"),
    }
