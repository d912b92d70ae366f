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
    ("change", "is_complete", "is_of_one_template", "is_current"),
    [
        ({}, True, True, True),
        ({"observedGeneration": 1}, True, True, False),
        ({"replicas": 3}, False, False, True),
        ({"updatedReplicas": 1}, False, False, True),
        ({"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}, False, True, True),
        ({"availableReplicas": 1}, False, True, True),
        ({"readyReplicas": 1}, True, True, True),
    ],
)
def test_what_the_counts_tell(
    change: dict[str, int], is_complete: bool, is_of_one_template: bool, is_current: bool
) -> None:
    found = counts({**ALL, **change})
    assert (found.is_complete, found.is_of_one_template) == (is_complete, is_of_one_template)
    assert found.is_current is is_current


def test_what_a_deployment_leaves_out() -> None:
    assert counts({}, replicas=None).wanted == 1
    assert count_replicas(None) == ReplicaCounts()
    assert not ReplicaCounts().is_current
