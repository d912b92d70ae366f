"""A Deployment's counts, and whether they are those of its newest template."""

from __future__ import annotations

from typing import Any

import pytest

from whisper_operator.observe.replicas import ReplicaCounts, count_replicas

ALL = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2, "availableReplicas": 2}


def counts(status: dict[str, Any], replicas: int | None = 2) -> ReplicaCounts:
    spec = {} if replicas is None else {"replicas": replicas}
    return count_replicas({"metadata": {"generation": 2}, "spec": spec, "status": status})


@pytest.mark.parametrize(
    ("change", "is_settled"),
    [
        ({}, True),
        ({"observedGeneration": 1}, False),
        ({"replicas": 3}, False),
        ({"updatedReplicas": 1}, False),
        ({"availableReplicas": 1}, False),
        ({"readyReplicas": 1}, True),
    ],
)
def test_a_rollout_is_through_when_every_pod_is_new_and_available(change: dict[str, int], is_settled: bool) -> None:
    found = counts({**ALL, **change})
    assert (found.is_settled, found.is_rolled_out) == (is_settled, is_settled)


def test_no_pod_is_settled_and_proves_nothing() -> None:
    none = counts({"observedGeneration": 2}, replicas=0)
    assert none.is_settled
    assert not none.is_rolled_out


def test_what_a_deployment_leaves_out() -> None:
    assert counts({}, replicas=None).wanted == 1
    assert count_replicas(None) == ReplicaCounts()
    assert not ReplicaCounts().is_settled
