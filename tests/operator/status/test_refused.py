"""The condition that a child which could not be applied is about, and how all of them are told."""

from __future__ import annotations

import pytest

from whisper_operator.api import conditions as c
from whisper_operator.api.conditions import ConditionUpdate
from whisper_operator.objects.kinds import (
    AUTOSCALER,
    CHILD_KINDS,
    CLAIM,
    DEPLOYMENT,
    INGRESS,
    JOB,
    NETWORK_POLICY,
    SERVICE_MONITOR,
    Kind,
)
from whisper_operator.status.refused import ABOUT, Refusal, told, with_refusals


def refusal(kind: Kind, message: str = "denied") -> Refusal:
    return Refusal(kind, "speech", c.REJECTED, message)


def test_every_kind_but_jobs_has_a_condition() -> None:
    assert ABOUT.keys() == set(CHILD_KINDS) - {JOB}


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        (INGRESS, "Exposed"),
        (SERVICE_MONITOR, "Monitored"),
        (AUTOSCALER, "AutoscalingActive"),
        (NETWORK_POLICY, "Protected"),
        (DEPLOYMENT, "RolledOut"),
    ],
)
def test_a_refused_child_makes_its_condition_false_in_place(kind: Kind, condition: str) -> None:
    before = [ConditionUpdate(condition, "True", c.APPLIED), ConditionUpdate(c.VERIFIED, "True", c.CHECKS_PASSED)]
    assert with_refusals(before, [refusal(kind)]) == [
        ConditionUpdate(condition, "False", "Rejected", "denied"),
        before[1],
    ]


def test_a_refused_claim_is_about_the_checkpoints_or_the_jobs() -> None:
    for name, about in (("speech-models", "CacheAsSpecified"), ("speech-jobs", "JobStorageAsSpecified")):
        (found,) = with_refusals([], [Refusal(CLAIM, name, c.REJECTED, "denied")])
        assert (found.type, found.status, found.reason) == (about, "False", "Rejected")


def test_a_condition_that_the_spec_did_not_ask_for_is_added() -> None:
    assert with_refusals([], [refusal(INGRESS)]) == [ConditionUpdate(c.EXPOSED, "False", "Rejected", "denied")]


def test_the_first_of_two_refusals_is_told_and_a_job_has_no_condition() -> None:
    found = with_refusals([], [refusal(INGRESS, "first"), refusal(JOB), refusal(INGRESS, "second")])
    assert [one.message for one in found] == ["first"]


FAILED = Refusal(INGRESS, "speech", c.APPLY_FAILED, "the webhook is down")
UNREAD = Refusal(None, "Secret team/keys", c.LOOKUP_FAILED, "Secret team/keys could not be read")


def test_what_could_not_be_read_has_no_condition() -> None:
    assert with_refusals([], [UNREAD]) == []


def test_every_refusal_is_named_under_the_first_ones_reason() -> None:
    denied, exists = refusal(INGRESS), Refusal(DEPLOYMENT, "speech", c.NOT_OWNED, "Deployment/speech exists")
    text = "denied; Deployment/speech exists"
    assert told([denied, exists]) == [ConditionUpdate("Stalled", "True", "Rejected", text)]
    assert told([]) == []


def test_what_failed_goes_on_and_does_not_wait_for_a_user() -> None:
    text = "the webhook is down; Secret team/keys could not be read"
    assert told([FAILED, UNREAD]) == [ConditionUpdate("Reconciling", "True", "ApplyFailed", text)]
