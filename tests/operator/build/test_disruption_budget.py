"""The PodDisruptionBudget."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import children, one, service


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


def test_without_it_there_is_none() -> None:
    assert "PodDisruptionBudget" not in [body["kind"] for body in children(service())]
