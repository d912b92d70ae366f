"""Surge where a GPU is free for the new pod, Replace where none is; decided once for each change."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.operator.samples import deployment, node, observed, pod, resolved, service
from tests.support.devices import allocation, class_body, classes, gpu, slice_body, slices, template_body
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_operator.observe.devices import allocated
from whisper_operator.observe.facts import Node
from whisper_operator.observe.observed import Observed
from whisper_operator.observe.pod_requests import NodeRequests, add_requests
from whisper_operator.resolve.decision import AS_BEFORE, BY_SPEC, Decision
from whisper_operator.resolve.devices import with_taken
from whisper_operator.resolve.rollout import seconds_until_no_room

BASE: dict[str, Any] = {"gpu": {}, "cache": {"type": "EmptyDir"}}
CHANGED: dict[str, Any] = {**BASE, "language": "en"}
GPU_POD = {"nodeName": "node", "containers": [{"resources": {"requests": {"nvidia.com/gpu": "1"}}}]}
USED = {"node": {"nvidia.com/gpu": Decimal(1)}}


def decided(spec: dict[str, Any], there: Observed, requested: NodeRequests | None = None) -> tuple[str, str]:
    found = resolved(service(**spec), there, requested=requested).rollout
    assert found is not None
    return found.decision.strategy, found.decision.reason


@pytest.mark.parametrize(
    ("nodes", "strategy", "says"),
    [
        ((node(gpu="2"),), "Surge", "node node has nvidia.com/gpu and room for it free"),
        ((node(gpu="1"),), "Replace", "no node that the pod may run on"),
        ((node(gpu="1"), node("spare", gpu="1")), "Surge", "node spare"),
        ((node(gpu="2", memory="1Gi"),), "Replace", "no node"),
        (None, "Replace", "only namespaces may be read"),
    ],
)
def test_a_change_is_decided_by_the_gpus_that_are_free(
    nodes: tuple[Node, ...] | None, strategy: str, says: str
) -> None:
    found = decided(CHANGED, observed(deployment(service(**BASE)), nodes=nodes), USED)
    assert found[0] == strategy
    assert says in found[1]


def test_a_change_in_the_middle_of_a_surge_surges_into_the_place_of_the_last_one() -> None:
    """Else the pod that still serves would be stopped, although a GPU is there for its successor."""
    surging = pod(names.SERVER, "surging") | {"spec": {"nodeName": "node"}}
    there = observed(deployment(service(**BASE)), old(), surging, nodes=(node(gpu="2"),))
    requested = {"node": {"nvidia.com/gpu": Decimal(2)}}
    assert decided(CHANGED, there, requested) == (
        "Surge",
        "a pod of the unfinished change before this one makes room",
    )


def test_a_change_is_decided_by_the_devices_of_drivers_as_well() -> None:
    """Given no device plugin, two devices, and a claim that has one or both of them."""
    there = {"nodes": (node(),), "slices": slices(slice_body("node", gpu("a"), gpu("b")))}
    there |= {"device_classes": classes(class_body(resource="nvidia.com/gpu"))}
    live = observed(deployment(service(**BASE)), **there)
    supply = resolved(service(**CHANGED), live).devices
    assert supply is not None
    for taken, strategy in ((["a"], "Surge"), (["a", "b"], "Replace")):
        ids = set(allocated([{"status": allocation(one)} for one in taken]))
        assert decided(CHANGED, live, with_taken(USED, supply, ids))[0] == strategy


@pytest.mark.parametrize(("taken", "strategy"), [([], "Surge"), (["a"], "Replace")])
def test_a_gpu_by_claim_is_counted_by_its_template(taken: list[str], strategy: str) -> None:
    by_claim = {**BASE, "gpu": {"claim": {"resourceClaimTemplateName": "gpu"}}}
    there = {"nodes": (node(),), "slices": slices(slice_body("node", gpu("a")))}
    there |= {"device_classes": classes(class_body()), "claim_templates": {"gpu": template_body()}}
    live = observed(deployment(service(**by_claim)), **there)
    supply = resolved(service(**by_claim), live).devices
    assert supply is not None
    requested = with_taken({}, supply, set(allocated([{"status": allocation(one)} for one in taken])))
    found = decided({**by_claim, "language": "en"}, live, requested)
    assert found[0] == strategy
    assert "has a device for ResourceClaimTemplate gpu and room for it free" in found[1]


def test_a_pod_that_is_being_deleted_holds_its_gpu_until_it_has_gone() -> None:
    """It is one of `status.terminatingReplicas`, which may be minutes: it makes no room for a surge now."""
    leaving = pod(names.SERVER, "leaving", phase="Running")
    leaving = {**leaving, "metadata": {**leaving["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    there = observed(deployment(service(**BASE)), old(), leaving | {"spec": GPU_POD}, nodes=(node(gpu="2"),))
    requested: dict[str, dict[str, Decimal]] = {}
    add_requests(requested, [old() | {"spec": GPU_POD}, leaving | {"spec": GPU_POD}])
    assert decided(CHANGED, there, requested)[0] == "Replace"


def test_a_decision_stands_until_the_next_change() -> None:
    """Given a decision to replace, when a GPU becomes free meanwhile, nothing changes."""
    live = deployment(service(**BASE))
    assert decided(BASE, observed(live, nodes=(node(gpu="8"),))) == (
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
    assert decided(surge, observed(live, nodes=(node(),)))[0] == "Surge"


def test_a_deployment_of_the_first_release_is_written_to_at_its_next_change_only() -> None:
    """It carries no reason: none is added, or every upgrade would write to every Deployment."""
    first = without_reason(deployment(service(**BASE)))
    assert decided(BASE, observed(first, nodes=(node(gpu="8"),))) == ("Replace", AS_BEFORE)
    rebuilt = deployment(service(**BASE), first)
    assert names.ANNOTATION_ROLLOUT not in rebuilt["metadata"]["annotations"]
    assert decided(CHANGED, observed(first, nodes=(node(gpu="8"),)))[0] == "Surge"


def test_what_the_spec_says_is_not_written_down_again() -> None:
    surge = deployment(service(**BASE, rollout={"strategy": "Surge"}))
    assert names.ANNOTATION_ROLLOUT not in surge["metadata"]["annotations"]
    found = resolved(service(**BASE, rollout={"strategy": "Surge"}), observed(surge)).live_decision
    assert found == Decision("Surge", BY_SPEC)


CPU: dict[str, Any] = {"cache": {"type": "EmptyDir"}}


def at(second: int) -> float:
    return datetime.datetime.fromisoformat(f"2026-01-01T00:00:{second:02d}+00:00").timestamp()


@pytest.mark.parametrize(("second", "strategy"), [(29, "Surge"), (31, "Replace")])
def test_a_surge_without_room_gives_way_after_thirty_seconds(second: int, strategy: str) -> None:
    there = observed(deployment(service(**CPU)), old(), lost(), now=at(second))
    assert decided(CPU, there)[0] == strategy
    left = seconds_until_no_room(resolved(service(**CPU), there))
    assert left == (pytest.approx(1.0) if strategy == "Surge" else None)


@pytest.mark.parametrize("ready", ["True", "False"])
def test_an_old_pod_makes_way_whether_it_serves_or_crashes(ready: str) -> None:
    there = observed(deployment(service(**CPU)), old(ready=ready), lost(), now=at(31))
    assert decided(CPU, there) == ("Replace", "pod new found no room beside the old ones for 30 s")


@pytest.mark.parametrize(("ready", "strategy"), [("True", "Surge"), ("False", "Replace")])
@pytest.mark.parametrize("nodes", [(node(),), (node(gpu="1", memory="1Gi"),), ()], ids=["no GPU", "small", "no node"])
def test_a_pod_that_serves_does_not_leave_for_one_that_no_node_can_have(
    nodes: tuple[Node, ...], ready: str, strategy: str
) -> None:
    """As while a driver is restarted, or with a typing error in a selector: nothing would serve until it is mended."""
    live = deployment(service(**BASE))
    assert decided(CHANGED, observed(live, old(ready=ready), nodes=nodes))[0] == strategy
    cpu = {**CPU, "scheduling": {"nodeSelector": {"zone": "typo"}}}
    searching = observed(deployment(service(**cpu)), old(ready=ready), lost(), nodes=nodes, now=at(31))
    assert decided(cpu, searching)[0] == strategy


def test_a_surge_that_waited_for_a_node_gives_way_once_there_is_one() -> None:
    there = observed(deployment(service(**CPU)), old(), lost(), nodes=(node(),), now=at(31))
    assert decided(CPU, there)[0] == "Replace"


@pytest.mark.parametrize(
    "others",
    [
        [],
        [{"template": "new"}],
        [{"leaves": "2026-01-01T00:00:00Z"}],
        [{"phase": "Failed"}],
    ],
    ids=["alone", "of the same template", "on its way out", "ended"],
)
def test_only_pods_of_an_older_template_can_make_way(others: list[dict[str, Any]]) -> None:
    """A service that is scaled beyond the cluster's GPUs waits for more of them, and no pod is stopped for that."""
    there = observed(deployment(service(**CPU)), *(old(**one) for one in others), lost(), now=at(59))
    assert decided(CPU, there)[0] == "Surge"


def old(template: str = "old", ready: str = "True", leaves: str | None = None, phase: str = "Running") -> Manifest:
    conditions = [{"type": "Ready", "status": ready}]
    return of_template(pod(names.SERVER, "old", phase=phase, conditions=conditions), template, "node", leaves)


def lost() -> Manifest:
    since = "2026-01-01T00:00:00Z"
    conditions = [{"type": "PodScheduled", "status": "False", "lastTransitionTime": since}]
    found = of_template(pod(names.SERVER, "new", phase="Pending", conditions=conditions), "new", None, None)
    return {**found, "metadata": {**found["metadata"], "creationTimestamp": "2026-01-01T00:00:01Z"}}


def of_template(body: Manifest, template: str, on: str | None, leaves: str | None) -> Manifest:
    labels = {**body["metadata"]["labels"], "pod-template-hash": template}
    times = {"deletionTimestamp": leaves} if leaves else {}
    spec = {"nodeName": on} if on else {}
    return {**body, "metadata": {**body["metadata"], "labels": labels, **times}, "spec": spec}


def without_reason(body: Manifest) -> Manifest:
    annotations = {k: v for k, v in body["metadata"]["annotations"].items() if k != names.ANNOTATION_ROLLOUT}
    return {**body, "metadata": {**body["metadata"], "annotations": annotations}}


def quota(left: int) -> Manifest:
    hard, used = {"requests.nvidia.com/gpu": "4"}, {"requests.nvidia.com/gpu": str(4 - left)}
    return {"metadata": {"name": "team"}, "spec": {}, "status": {"hard": hard, "used": used}}


@pytest.mark.parametrize(("left", "strategy"), [(1, "Surge"), (0, "Replace")])
def test_a_quota_without_room_for_one_more_pod_means_replace(left: int, strategy: str) -> None:
    facts = {"nodes": (node(gpu="8"),), "quotas": (quota(left),)}
    found = decided(CHANGED, observed(deployment(service(**BASE)), **facts))
    assert found[0] == strategy
    assert ("ResourceQuota team leaves 0" in found[1]) == (strategy == "Replace")


@pytest.mark.parametrize(
    ("updated", "message", "strategy"),
    [
        (0, 'pods "new" is forbidden: exceeded quota: team', "Replace"),
        (0, "admission webhook says no", "Surge"),
        (1, 'pods "new" is forbidden: exceeded quota: team', "Surge"),
    ],
    ids=["a quota that filled meanwhile", "what a stopped pod would not mend", "no older pod"],
)
def test_a_quota_that_refuses_the_new_pod_makes_an_old_one_go(updated: int, message: str, strategy: str) -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "message": message,
               "lastTransitionTime": "2026-01-01T00:00:00Z"}  # fmt: skip
    live = deployment(service(**CPU), updatedReplicas=updated, conditions=[failure])
    assert decided(CPU, observed(live, old(), now=at(31)))[0] == strategy
