"""Surge where a GPU is free for the new pod, Replace where none is; decided once for each change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.operator.objects import ENV, deployment, node, observed, pod, service
from whisper_operator import names, rollout
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.build.deployment import wanted_template
from whisper_operator.facts import requested_by_node
from whisper_operator.observed import Observed

BASE: dict[str, Any] = {"gpu": {}, "cache": {"type": "EmptyDir"}}
CHANGED: dict[str, Any] = {**BASE, "language": "en"}
USED = {"node": {"nvidia.com/gpu": Decimal(1)}}


def decided(spec: dict[str, Any], there: Observed) -> tuple[str, str]:
    wanted = service(**spec)
    template = wanted_template(wanted, there, ENV)
    assert template is not None
    found = rollout.decide(wanted, there, template)
    return found.strategy, found.reason


@pytest.mark.parametrize(
    ("facts", "strategy", "says"),
    [
        ({"nodes": (node(gpu="2"),), "requested": USED}, "Surge", "node node has nvidia.com/gpu and room for it free"),
        ({"nodes": (node(gpu="1"),), "requested": USED}, "Replace", "no node that the pod may run on"),
        ({"nodes": (node(gpu="1"), node("spare", gpu="1")), "requested": USED}, "Surge", "node spare"),
        ({"nodes": (node(gpu="2", memory="1Gi"),), "requested": USED}, "Replace", "no node"),
        ({"nodes": None}, "Replace", "only namespaces may be read"),
    ],
)
def test_a_change_is_decided_by_the_gpus_that_are_free(facts: dict[str, Any], strategy: str, says: str) -> None:
    found = decided(CHANGED, observed(deployment(service(**BASE)), **facts))
    assert found[0] == strategy
    assert says in found[1]


def test_a_decision_stands_until_the_next_change() -> None:
    """Given a decision to replace, when a GPU becomes free meanwhile, nothing changes."""
    live = deployment(service(**BASE))
    assert decided(BASE, observed(live, nodes=(node(gpu="8"),), requested={})) == (
        "Replace",
        "the first pods replace none",
    )


def test_without_a_gpu_the_new_pod_starts_beside_the_old_one() -> None:
    cpu = {"cache": {"type": "EmptyDir"}}
    live = deployment(service(**cpu))
    assert decided({**cpu, "language": "en"}, observed(live))[0] == "Surge"


def test_the_spec_has_the_last_word() -> None:
    live = deployment(service(**BASE))
    surge = {**CHANGED, "rollout": {"strategy": "Surge"}}
    assert decided(surge, observed(live, nodes=(node(),), requested={}))[0] == "Surge"


@pytest.mark.parametrize(
    ("now", "strategy"), [("2026-01-01T00:00:29+00:00", "Surge"), ("2026-01-01T00:00:31+00:00", "Replace")]
)
def test_a_surge_without_room_gives_way_after_thirty_seconds(now: str, strategy: str) -> None:
    import datetime

    wanted = service(cache={"type": "EmptyDir"})
    there = observed(deployment(wanted), *searching(), now=datetime.datetime.fromisoformat(now).timestamp())
    assert decided({"cache": {"type": "EmptyDir"}}, there)[0] == strategy
    left = rollout.seconds_until_no_room(wanted, there)
    assert left == (pytest.approx(1.0) if strategy == "Surge" else None)


def searching() -> list[Manifest]:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    since = "2026-01-01T00:00:00Z"
    lost = {"conditions": [{"type": "PodScheduled", "status": "False", "lastTransitionTime": since}]}
    return [pod(names.SERVER, "old", **ready), pod(names.SERVER, "new", **lost)]


def test_what_pods_hold_is_counted_by_node() -> None:
    container = {"resources": {"requests": {"nvidia.com/gpu": "1", "cpu": "500m"}}}
    init = {"resources": {"requests": {"cpu": "2"}}}
    running = {"spec": {"nodeName": "a", "containers": [container], "initContainers": [init]}, "status": {}}
    ended = {**running, "status": {"phase": "Succeeded"}}
    pending = {"spec": {"containers": [container]}, "status": {}}
    assert requested_by_node([running, ended, pending]) == {"a": {"nvidia.com/gpu": 1, "cpu": 2}}
