"""On which nodes pods could run, as the scheduler decides it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.operator.samples import node, service
from whisper_operator.resolve.scheduling import candidates, nodes_with_gpu, with_room

TAINT = {"key": "team", "value": "vision", "effect": "NoSchedule"}
LABELLED = node("labelled", labels={"zone": "a", "cores": "8"})
TAINTED = node("tainted", taints=(TAINT,))
NODES = (LABELLED, TAINTED)


def names(**spec: Any) -> list[str]:
    return [one.name for one in candidates({"spec": {"containers": [], **spec}}, NODES)]


def affinity(key: str, operator: str, *values: str, field: bool = False) -> dict[str, Any]:
    rule = {"key": key, "operator": operator, **({"values": list(values)} if values else {})}
    term = {"matchFields" if field else "matchExpressions": [rule]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}


@pytest.mark.parametrize(
    "toleration",
    [
        {"operator": "Exists"},
        {"key": "team", "operator": "Exists"},
        {"key": "team", "value": "vision"},
        {"key": "team", "value": "vision", "effect": "NoSchedule"},
    ],
)
def test_a_taint_is_tolerated(toleration: dict[str, str]) -> None:
    assert names(tolerations=[toleration]) == ["labelled", "tainted"]


@pytest.mark.parametrize(
    "toleration",
    [{"key": "team"}, {"key": "team", "value": "speech"}, {"key": "team", "operator": "Exists", "effect": "NoExecute"}],
)
def test_a_taint_is_not_tolerated(toleration: dict[str, str]) -> None:
    assert names(tolerations=[toleration]) == ["labelled"]


def test_a_taint_named_as_a_resource_is_tolerated_by_asking_for_it() -> None:
    assert names(containers=[{"resources": {"limits": {"team": "1"}}}]) == ["labelled", "tainted"]


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        (affinity("zone", "In", "a", "b"), True),
        (affinity("zone", "NotIn", "a"), False),
        (affinity("zone", "Exists"), True),
        (affinity("zone", "DoesNotExist"), False),
        (affinity("cores", "Gt", "4"), True),
        (affinity("cores", "Lt", "4"), False),
        (affinity("zone", "Gt", "4"), False),
        (affinity("zone", "Unheard"), False),
        (affinity("metadata.name", "In", "labelled", field=True), True),
        (affinity("metadata.name", "In", "another", field=True), False),
    ],
)
def test_a_node_matches_an_affinity(rule: dict[str, Any], matches: bool) -> None:
    assert (names(affinity=rule) == ["labelled"]) is matches


def test_a_selector_wants_every_label() -> None:
    assert names(nodeSelector={"zone": "a"}) == ["labelled"]
    assert names(nodeSelector={"zone": "a", "disk": "fast"}) == []


@pytest.mark.parametrize("spec", [None, "no object", {"containers": "no list"}])
def test_a_malformed_pod_runs_nowhere(spec: Any) -> None:
    assert candidates({"spec": spec}, NODES) == []


def test_room_is_what_others_have_not_asked_for() -> None:
    template = {"spec": {"containers": [{"resources": {"requests": {"cpu": "6"}}}]}}
    assert with_room(template, [LABELLED], {}) == [LABELLED]
    assert with_room(template, [LABELLED], {"labelled": {"cpu": Decimal(3)}}) == []
    assert with_room(template, [LABELLED], {"another": {"cpu": Decimal(3)}}) == [LABELLED]


def test_the_nodes_that_offer_a_gpu() -> None:
    nodes = (node("one", gpu="1"), node("none", gpu="0"), node("without"))
    assert [one.name for one in nodes_with_gpu(service(gpu={}).spec, nodes)] == ["one"]
    assert len(nodes_with_gpu(service().spec, nodes)) == 3
