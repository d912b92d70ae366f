"""The decision on Surge or Replace, as a Deployment carries it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import service
from whisper_operator.resolve.decision import AS_BEFORE, BY_SPEC, Decision, live_decision


def deployment(max_surge: int | str | None, reason: str | None = None) -> dict[str, Any]:
    rolling = {} if max_surge is None else {"rollingUpdate": {"maxSurge": max_surge}}
    annotations = {"whisper-operator.io/rollout": reason} if reason else {}
    return {"metadata": {"annotations": annotations}, "spec": {"strategy": rolling}}


@pytest.mark.parametrize(
    ("max_surge", "strategy"), [(1, "Surge"), ("25%", "Surge"), (None, "Surge"), (0, "Replace"), ("0%", "Replace")]
)
def test_the_strategy_is_read_from_the_surge(max_surge: int | str | None, strategy: str) -> None:
    found = live_decision(service(), deployment(max_surge, "a reason"))
    assert found is not None
    assert (found.strategy, found.reason) == (strategy, "a reason")


def test_without_a_deployment_nothing_is_decided() -> None:
    assert live_decision(service(), None) is None


def test_the_reason_is_the_specs_where_the_spec_decides() -> None:
    wanted = service(rollout={"strategy": "Replace"})
    assert live_decision(wanted, deployment(0, "an older reason")) == Decision("Replace", BY_SPEC)
    assert live_decision(service(), deployment(0)) == Decision("Replace", AS_BEFORE)


@pytest.mark.parametrize("decision", [Decision("Surge", "a reason"), Decision("Replace", "another")])
def test_a_decision_is_read_back_as_it_was_written(decision: Decision) -> None:
    live = {"metadata": {"annotations": decision.annotations}, "spec": {"strategy": decision.as_strategy}}
    assert live_decision(service(), live) == decision
    assert Decision("Surge", BY_SPEC).annotations == Decision("Surge", AS_BEFORE).annotations == {}
