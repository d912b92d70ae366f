"""How many pods are promised, and when a spec counts as carried out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import service
from whisper_operator.observe.replicas import ReplicaCounts
from whisper_operator.resolve.promise import fewest_pods, resolve_promise

READY = {"type": "Ready", "status": "True", "reason": "AsSpecified"}
UNDER_WAY = {"type": "Reconciling", "status": "True", "reason": "RollingOut"}


def required(wanted: int, status: dict[str, Any] | None = None, **spec: Any) -> int:
    return resolve_promise(service(status, **spec), ReplicaCounts(wanted=wanted)).required


@pytest.mark.parametrize(
    ("spec", "wanted", "pods"),
    [
        ({"replicas": 1}, 1, 1),
        ({"replicas": 2}, 2, 1),
        ({"replicas": 10}, 10, 9),
        ({"replicas": 10, "disruption": {}}, 10, 9),
        ({"replicas": 10, "disruption": {"enabled": False, "maxUnavailable": 3}}, 10, 9),
        ({"replicas": 10, "disruption": {"maxUnavailable": 3}}, 10, 7),
        ({"replicas": 10, "disruption": {"maxUnavailable": 0}}, 10, 9),
        ({"replicas": 10, "disruption": {"maxUnavailable": "25%"}}, 10, 7),
        ({"replicas": 10, "disruption": {"maxUnavailable": "100%"}}, 10, 1),
        ({"replicas": 10, "disruption": {"minAvailable": 4}}, 10, 4),
        ({"replicas": 10, "disruption": {"minAvailable": "100%"}}, 10, 9),
        ({"replicas": 10, "disruption": {"minAvailable": 0}}, 10, 1),
        ({"replicas": 0}, 0, 0),
        ({"replicas": 3, "suspend": True}, 3, 0),
        ({"autoscaling": {"minReplicas": 1}}, 5, 1),
        ({"autoscaling": {"minReplicas": 4}}, 9, 3),
        ({"autoscaling": {"minReplicas": 4}}, 0, 0),
        ({"autoscaling": {"minReplicas": 0, "keda": {"prometheusAddress": "http://prometheus:9090"}}}, 3, 0),
    ],
)
def test_the_spec_promises_its_pods_less_what_may_be_missing_for_a_while(
    spec: dict[str, Any], wanted: int, pods: int
) -> None:
    assert required(wanted, **spec) == pods


@pytest.mark.parametrize(
    ("conditions", "observed", "pods"),
    [
        pytest.param([READY], 1, 2, id="a change that no pass has seen"),
        pytest.param([READY, UNDER_WAY], 2, 2, id="a change under way"),
        pytest.param([READY], 2, 8, id="a change that was carried out"),
        pytest.param([READY | {"status": "False"}], 2, 8, id="a service that was not ready"),
    ],
)
def test_until_a_change_is_carried_out_no_more_is_promised_than_before(
    conditions: list[dict[str, str]], observed: int, pods: int
) -> None:
    status = {"conditions": conditions, "observedGeneration": observed, "requiredReplicas": 2}
    assert required(9, status, replicas=9) == pods


def test_after_a_suspension_nothing_is_ready_before_it_serves() -> None:
    status = {"conditions": [READY | {"reason": "Suspended"}], "observedGeneration": 1, "requiredReplicas": 0}
    assert required(0, status, replicas=2) == 1


@pytest.mark.parametrize(
    ("counts", "proves"),
    [
        (ReplicaCounts(3, 3, 3, 3, 3, is_current=True), True),
        (ReplicaCounts(3, 3, 3, 2, 2, is_current=True), True),
        (ReplicaCounts(3, 3, 3, 1, 1, is_current=True), False),
        (ReplicaCounts(3, 4, 3, 3, 3, is_current=True), False),
        (ReplicaCounts(3, 3, 3, 3, 3, is_current=False), False),
        (ReplicaCounts(0, 0, 0, 0, 0, is_current=True), False),
    ],
)
def test_a_model_is_proven_by_the_promised_pods_where_no_older_template_is_left(
    counts: ReplicaCounts, proves: bool
) -> None:
    assert resolve_promise(service(replicas=3), counts).proves_model is proves


@pytest.mark.parametrize(
    ("observed", "conditions", "was_carried_out"),
    [
        (2, [READY], True),
        (1, [READY], False),
        (2, [READY, UNDER_WAY], False),
        (2, [READY, UNDER_WAY | {"type": "Stalled"}], False),
        (2, [READY | {"status": "False"}], False),
        (2, [], False),
    ],
)
def test_a_spec_is_carried_out_where_its_generation_is_ready_and_nothing_goes_on(
    observed: int, conditions: list[dict[str, str]], was_carried_out: bool
) -> None:
    of = service({"observedGeneration": observed, "conditions": conditions})
    assert resolve_promise(of, ReplicaCounts()).was_carried_out is was_carried_out


def test_the_fewest_pods() -> None:
    assert fewest_pods(service(replicas=3).spec) == 3
    assert fewest_pods(service(replicas=3, autoscaling={"minReplicas": 2}).spec) == 2
    assert fewest_pods(service(replicas=3, suspend=True).spec) == 0
