"""Disruption budgets of somebody else's, by which the default one gives way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import UID, children, live, observed, one, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.resolve.budget import budgets_of_pods, may_have_other_budgets

LABELLED = service(replicas=2, podMetadata={"labels": {"team": "speech"}})


def budget(selector: Any, **metadata: Any) -> Manifest:
    return {"metadata": {"name": "mine", **metadata}, "spec": {"selector": selector}}


@pytest.mark.parametrize(
    ("selector", "selects"),
    [
        ({}, True),
        (None, False),
        ({"matchLabels": {"app.kubernetes.io/instance": "speech"}}, True),
        ({"matchLabels": {"app.kubernetes.io/instance": "other"}}, False),
        ({"matchLabels": {"team": "speech"}}, True),
        ({"matchExpressions": [{"key": "team", "operator": "In", "values": ["speech"]}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["speech"]}]}, False),
        ({"matchExpressions": [{"key": "team", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}, False),
    ],
    ids=str,
)
def test_a_budget_guards_the_pods_that_it_selects(selector: Any, selects: bool) -> None:
    assert budgets_of_pods(LABELLED, [budget(selector)]) == (("mine",) if selects else ())


def test_the_operators_own_is_none_of_them() -> None:
    owner = {"kind": "WhisperService", "name": "speech", "uid": UID, "controller": True}
    assert budgets_of_pods(LABELLED, [budget({}, ownerReferences=[owner])]) == ()


def test_others_are_looked_for_before_the_default_is_made_and_no_longer() -> None:
    own = live(one(children(LABELLED), "PodDisruptionBudget"))
    assert may_have_other_budgets(LABELLED, observed())
    assert not may_have_other_budgets(LABELLED, observed(own))
    assert not may_have_other_budgets(service(), observed())
    assert not may_have_other_budgets(service(replicas=2, disruption={"minAvailable": 1}), observed())
