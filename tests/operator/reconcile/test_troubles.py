"""What a pass could not do, as refusals and as an error."""

from __future__ import annotations

from whisper_operator.kube.errors import ApiError
from whisper_operator.objects.kinds import DEPLOYMENT, INGRESS, SERVICE
from whisper_operator.reconcile.troubles import Troubles
from whisper_operator.status.refused import Refusal

DOWN = ApiError("PATCH", 500, "InternalError", "the webhook is down")


def test_all_are_named_and_the_first_error_counts() -> None:
    troubles = Troubles()
    troubles.miss("Secret team/keys", ApiError("GET", 403, "Forbidden", ""))
    troubles.fail(DEPLOYMENT, "speech", "Deployment/speech", DOWN)
    troubles.fail(INGRESS, "old", "deletion of Ingress/old", DOWN)
    assert troubles.refused == [
        Refusal(DEPLOYMENT, "speech", "ApplyFailed", "Deployment/speech: the webhook is down"),
        Refusal(INGRESS, "old", "ApplyFailed", "deletion of Ingress/old: the webhook is down"),
        Refusal(None, "Secret team/keys", "LookupFailed", "Secret team/keys could not be read: Forbidden"),
    ]
    assert troubles.error is not None
    assert troubles.error.status == 403


def test_a_conflict_goes_wrong_though_it_is_not_told() -> None:
    troubles = Troubles()
    assert not troubles.has_any
    troubles.fail(DEPLOYMENT, "speech", "Deployment/speech", ApiError("PATCH", 409, "Conflict", ""))
    assert troubles.refused == []
    assert troubles.has_any


def test_what_only_a_user_can_mend_goes_first_and_is_no_error() -> None:
    troubles = Troubles()
    troubles.refuse(SERVICE, "speech", "NotOwned", "Service/speech exists")
    assert troubles.error is None
    troubles.fail(DEPLOYMENT, "speech", "Deployment/speech", DOWN)
    troubles.refuse(INGRESS, "speech", "Rejected", "Ingress/speech: denied")
    assert [one.reason for one in troubles.refused] == ["NotOwned", "Rejected", "ApplyFailed"]
    assert troubles.error is DOWN


def test_a_child_that_is_kept_from_its_end_is_told_with_what_keeps_it() -> None:
    troubles = Troubles()
    metadata = {"name": "speech", "finalizers": ["example.com/hold"]}
    live = {"kind": "Ingress", "metadata": metadata}
    troubles.await_end([live], overdue=[live])
    text = "Ingress/speech is being deleted, and kept by example.com/hold: "
    assert troubles.refused == [
        Refusal(INGRESS, "speech", "BeingDeleted", f"{text}it is made again once it is gone"),
        Refusal(
            INGRESS, "speech", "BeingDeleted", f"{text}the spec does not want it, and it has effect until it is gone"
        ),
    ]
    assert troubles.error is None, "its end is an event"


def test_a_conflict_is_an_error_and_not_told_at_once() -> None:
    troubles = Troubles()
    conflict = ApiError("PATCH", 409, "Conflict", "it exists")
    troubles.fail(SERVICE, "speech", "Service/speech", conflict)
    assert troubles.refused == []
    assert troubles.error is conflict
    troubles.tell_conflicts()
    assert troubles.refused == [Refusal(SERVICE, "speech", "ApplyFailed", "Service/speech: it exists")]
