"""The PodDisruptionBudget."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import children, kinds, live, observed, one, service


@pytest.mark.parametrize(
    ("spec", "limit"),
    [({"minAvailable": 1}, {"minAvailable": 1}), ({"maxUnavailable": "50%"}, {"maxUnavailable": "50%"})],
)
def test_a_drain_leaves_as_many_pods_and_never_waits_for_one_that_is_not_ready(
    spec: dict[str, Any], limit: dict[str, Any]
) -> None:
    found = one(children(service(disruption=spec)), "PodDisruptionBudget")["spec"]
    assert found.items() >= limit.items()
    assert found["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


MANY = {"replicas": 2}
SCALED = {"autoscaling": {"minReplicas": 1}}


@pytest.mark.parametrize("spec", [MANY, SCALED, {**MANY, "disruption": {}}], ids=str)
def test_a_drain_takes_one_pod_at_a_time_unless_the_spec_says_otherwise(spec: dict[str, Any]) -> None:
    assert one(children(service(**spec)), "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


@pytest.mark.parametrize("spec", [{}, {**MANY, "disruption": {"enabled": False}}], ids=["one pod", "switched off"])
def test_there_may_be_none(spec: dict[str, Any]) -> None:
    assert "PodDisruptionBudget" not in kinds(service(**spec))


@pytest.mark.parametrize("others", [("mine",), None], ids=["one of the user's", "unknown"])
def test_the_default_is_not_made_beside_another(others: tuple[str, ...] | None) -> None:
    """A pod of two budgets cannot be evicted at all."""
    many = service(**MANY)
    assert "PodDisruptionBudget" not in kinds(many, observed(other_budgets=others))
    there = live(one(children(many), "PodDisruptionBudget"))
    assert "PodDisruptionBudget" in kinds(many, observed(there, other_budgets=others)), "one that is there stays"
    asked = service(**MANY, disruption={"maxUnavailable": 1})
    assert "PodDisruptionBudget" in kinds(asked, observed(other_budgets=others)), "what the spec asks for is made"


@pytest.mark.parametrize(("replicas", "has_one"), [(1, False), (2, True)])
def test_a_drain_takes_one_pod_of_the_front_at_a_time(replicas: int, has_one: bool) -> None:
    """One that is the only one could not be drained at all."""
    found = [one for one in children(service(front={"replicas": replicas})) if one["kind"] == "PodDisruptionBudget"]
    assert [(one["metadata"]["name"], one["spec"]["maxUnavailable"]) for one in found] == [
        ("speech-front", 1)
    ] * has_one
