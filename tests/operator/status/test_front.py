"""The condition on the front, and what a service without a way in says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.resolve.test_front import BAKED, fronting
from tests.operator.samples import observed, pod, resolved, service
from whisper_operator.status.front import front_ready, no_way_in

LACKING = {"conditions": [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}]}


@pytest.mark.parametrize(
    ("counts", "pods", "status", "reason"),
    [
        ({}, {}, "True", "AsSpecified"),
        ({"availableReplicas": 1}, {}, "False", "RollingOut"),
        ({"availableReplicas": 1}, LACKING, "False", "Unschedulable"),
    ],
    ids=["complete", "one starts", "one has no node"],
)
def test_it_says_what_the_front_lacks(counts: dict[str, Any], pods: dict[str, Any], status: str, reason: str) -> None:
    there = observed(*fronting(**counts), *([pod("front", **pods)] if pods else []))
    found = front_ready(resolved(service(**BAKED, front={}), there))
    assert found is not None
    assert (found.status, found.reason) == (status, reason)


@pytest.mark.parametrize("spec", [{}, {"front": {}, "suspend": True}], ids=["not wanted", "suspended"])
def test_it_is_absent_where_there_is_to_be_no_pod_of_it(spec: dict[str, Any]) -> None:
    assert front_ready(resolved(service(**BAKED, **spec), observed(*fronting()))) is None


def test_a_front_that_takes_requests_is_a_way_in() -> None:
    of = service(**BAKED, front={})
    assert no_way_in(resolved(of, observed(*fronting(availableReplicas=1)))) is None
    lost = no_way_in(resolved(of, observed(*fronting(availableReplicas=0))))
    assert lost == ("no pod serves, and no pod of the front takes requests: 0 of 2 pods of the front available")
    assert no_way_in(resolved(service(**BAKED), observed())) is None
