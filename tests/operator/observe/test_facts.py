"""A node, reduced to what decides where pods go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import service
from whisper_operator.observe.facts import host_paths, node

READY = {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"cpu": "2", "memory": "1Gi"}}


def body(ready: str = "True", **spec: Any) -> dict[str, Any]:
    status = {**READY, "conditions": [{"type": "Ready", "status": ready}]}
    return {"metadata": {"name": "a", "labels": {"zone": "b"}}, "spec": spec, "status": status}


@pytest.mark.parametrize(
    ("given", "takes_pods"),
    [(body(), True), (body("False"), False), (body("Unknown"), False), (body(unschedulable=True), False)],
)
def test_a_node_takes_pods_while_it_is_ready_and_not_cordoned(given: dict[str, Any], takes_pods: bool) -> None:
    assert node(given).takes_pods is takes_pods


def test_amounts_are_numbers_and_taints_are_those_that_keep_pods_away() -> None:
    taints = [{"key": key, "effect": key} for key in ("NoSchedule", "NoExecute", "PreferNoSchedule")]
    found = node(body(taints=taints))
    assert found.allocatable == {"cpu": 2, "memory": 1024**3}
    assert [taint["key"] for taint in found.taints] == ["NoSchedule", "NoExecute"]
    assert found.labels == {"zone": "b"}


def test_an_ingress_without_a_host_asks_for_any() -> None:
    assert host_paths(service()) == ()
    assert host_paths(service(ingress={})) == (("", "/"),)
    assert host_paths(service(ingress={"host": "a.example.com", "path": "/asr"})) == (("a.example.com", "/asr"),)


def test_an_ingress_asks_for_each_path_at_each_host() -> None:
    many = {"host": "a.io", "additionalHosts": ["b.io"], "additionalPaths": [{"path": "/v1"}]}
    assert host_paths(service(ingress=many)) == (("a.io", "/"), ("a.io", "/v1"), ("b.io", "/"), ("b.io", "/v1"))
