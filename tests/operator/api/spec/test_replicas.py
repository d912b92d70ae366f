"""How pods are replaced and drained."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.api.specs import accepted, assert_choices, manifest, refused
from whisper_operator.api.spec.replicas import DisruptionSpec, RolloutSpec


def test_a_rollout_is_chosen_by_the_operator_and_drains_for_ten_minutes_unless_the_spec_says_otherwise() -> None:
    assert manifest(RolloutSpec()) == {"strategy": "Auto", "drainTimeout": "10m"}


def test_pods_are_replaced_by_one_of_three_strategies() -> None:
    assert_choices("rollout.strategy", "Auto", "Surge", "Replace")


@pytest.mark.parametrize(
    "disruption", [{}, {"minAvailable": 1}, {"maxUnavailable": "50%"}, {"minAvailable": 0}], ids=str
)
def test_a_budget_has_at_most_one_of_its_two_numbers(disruption: dict[str, Any]) -> None:
    accepted(disruption=disruption)


def test_a_budget_with_both_is_refused() -> None:
    assert refused(disruption={"minAvailable": 1, "maxUnavailable": 1}) == (
        "spec.disruption has both minAvailable and maxUnavailable: remove one of them"
    )


def test_the_other_number_of_a_budget_is_absent() -> None:
    assert manifest(DisruptionSpec(min_available=1)) == {
        "enabled": True,
        "minAvailable": 1,
        "maxUnavailable": None,
    }
