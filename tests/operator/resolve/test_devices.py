"""The GPUs of drivers stand among the resources of the nodes, and those that claims have are not free."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest

from tests.operator.samples import node, service
from tests.support.devices import (
    DRIVER,
    WHOLE_GPU,
    allocation,
    class_body,
    classes,
    gpu,
    slice_body,
    slices,
    template_body,
)
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.devices import DeviceId, allocated
from whisper_operator.observe.facts import Facts, Node
from whisper_operator.resolve.devices import missing_classes, resolve_devices, with_devices, with_taken

RESOURCE = "nvidia.com/gpu"
BY_CLAIM = {"claim": {"resourceClaimTemplateName": "gpu"}}
TEMPLATE = "resourceclaimtemplates/gpu"
MAPPED = class_body(resource=RESOURCE)
TWO = slice_body("node", gpu("a"), gpu("b"))


def facts(*bodies: Manifest, classes_: Iterable[Manifest] = (MAPPED,), nodes: Any = None, **beside: Any) -> Facts:
    there = nodes or (node(),)
    return Facts(nodes=there, slices=slices(*bodies), device_classes=classes(*classes_), **beside)


def offered(of: Facts, **spec: Any) -> dict[str, int]:
    """GPUs by node, as decisions count them."""
    wanted = service(gpu=spec).spec
    assert wanted.gpu is not None
    nodes: Iterable[Node] = with_devices(of, resolve_devices(wanted, of)).nodes or ()
    return {one.name: int(found) for one in nodes if (found := one.allocatable.get(wanted.gpu.counted_as))}


def free(of: Facts, *taken: str, **spec: Any) -> int:
    """GPUs of the node that are free while claims have those devices."""
    supply = resolve_devices(service(gpu=spec).spec, of)
    assert supply is not None
    ids = set(allocated([{"status": allocation(one)} for one in taken]))
    before = {"node": {RESOURCE: Decimal(7), "cpu": Decimal(1)}}
    after = with_taken(before, supply, ids)["node"]
    assert after["cpu"] == 1
    return offered(of, **spec).get("node", 0) - int(after[supply.counted_as])


def test_a_class_that_maps_the_resource_offers_its_devices() -> None:
    other = slice_body("b", gpu("a"), {"name": "nic", "attributes": {"type": {"string": "nic"}}})
    assert offered(facts(TWO, other, nodes=(node(), node("b"), node("c")))) == {"node": 2, "b": 1}


def test_a_class_that_maps_another_resource_offers_none() -> None:
    assert offered(facts(TWO, classes_=[class_body(resource="example.com/gpu")])) == {}
    assert offered(facts(TWO, classes_=[class_body()])) == {}


def test_of_two_classes_the_newer_one_counts_as_for_the_scheduler() -> None:
    old = class_body("old", RESOURCE, WHOLE_GPU, "2026-01-01T00:00:00Z")
    new = class_body("new", RESOURCE, "device.driver == 'none'", "2026-01-02T00:00:00Z")
    assert offered(facts(TWO, classes_=[new, old])) == {}


def test_a_node_with_a_device_plugin_keeps_to_it() -> None:
    """So does the scheduler: where the resource is allocatable, it asks no driver."""
    assert offered(facts(TWO, nodes=(node(gpu="1"),))) == {"node": 1}


def test_slices_of_an_older_generation_are_obsolete() -> None:
    assert offered(facts(TWO, slice_body("node", gpu("a"), generation=2))) == {"node": 1}


def test_devices_of_several_nodes_are_offered_to_each_that_reaches_them() -> None:
    terms = [{"matchExpressions": [{"key": "rack", "operator": "In", "values": ["a"]}]}]
    shared = slice_body("pool", gpu("a"), nodeName=None, nodeSelector={"nodeSelectorTerms": terms})
    nodes = (node("in", labels={"rack": "a"}), node("out", labels={"rack": "b"}))
    assert offered(facts(shared, nodes=nodes)) == {"in": 1}
    anywhere = slice_body("pool", gpu("a"), nodeName=None, allNodes=True)
    assert offered(facts(anywhere, nodes=nodes)) == {"in": 1, "out": 1}


def test_nothing_is_known_where_only_namespaces_may_be_read() -> None:
    assert resolve_devices(service(gpu={}).spec, Facts()) is None
    assert resolve_devices(service().spec, facts(TWO)) is None, "no GPU is asked for"


def test_what_claims_have_is_not_free_whoever_made_them() -> None:
    """A pod that asks by the resource has a claim, too: its request is not subtracted once more."""
    there = facts(TWO)
    assert [free(there), free(there, "a"), free(there, "a", "b"), free(there, "another")] == [2, 1, 0, 2]


def test_a_device_that_claims_share_is_not_taken_by_one_of_them() -> None:
    """How much each has of its capacity is not counted: one too many is, never one too few."""
    there = facts(slice_body("node", gpu("a", allowMultipleAllocations=True)))
    share = {"shareID": "8f5a", "consumedCapacity": {"memory": "40Gi"}}
    assert set(allocated([{"status": allocation("a", **share)}])) == set()
    assert free(there) > 100


def counter(amount: str) -> list[Manifest]:
    return [{"counterSet": "card", "counters": {"memory": {"value": amount}}}]


def partitions() -> Manifest:
    """One card, whole or as two halves."""
    halves = [
        {"name": name, "attributes": {"type": {"string": "mig"}}, "consumesCounters": counter("40Gi")}
        for name in ("half-1", "half-2")
    ]
    shared = [{"name": "card", "counters": {"memory": {"value": "80Gi"}}}]
    return slice_body("node", gpu("whole", consumesCounters=counter("80Gi")), *halves, sharedCounters=shared)


def test_a_card_of_which_a_partition_is_taken_is_not_free() -> None:
    there = facts(partitions())
    assert [free(there), free(there, "half-1")] == [1, 0]
    halves = facts(partitions(), classes_=[class_body(resource=RESOURCE, expression=WHOLE_GPU.replace("gpu'", "mig'"))])
    assert [free(halves), free(halves, "half-1")] == [2, 1]


@pytest.mark.parametrize(
    ("requests", "pods"),
    [
        ([{"name": "gpu", "exactly": {"deviceClassName": "gpu"}}], 2),
        ([{"name": "gpu", "exactly": {"deviceClassName": "gpu", "count": 2}}], 1),
        ([{"name": "gpu", "exactly": {"deviceClassName": "gpu", "count": 3}}], 0),
        ([{"name": "gpu", "exactly": {"deviceClassName": "gpu", "allocationMode": "All"}}], 1),
        ([{"name": "gpu", "exactly": {"deviceClassName": "gpu", "tolerations": [{"operator": "Exists"}]}}], 3),
        ([{"name": "gpu", "exactly": {"deviceClassName": "gpu", "tolerations": [
            {"key": "worn", "value": "out", "effect": "NoSchedule"}]}}], 3),
        ([{"name": "gpu", "exactly": {"deviceClassName": "gpu", "tolerations": [{"key": "worn", "value": "in"}]}}], 2),
        ([{"name": "gpu", "exactly": {"deviceClassName": "gpu", "selectors": [
            {"cel": {"expression": f"device.attributes['{DRIVER}'].type == 'mig'"}}]}}], 0),
        ([{"name": "gpu", "firstAvailable": [{"name": "a", "deviceClassName": "absent"},
                                             {"name": "b", "deviceClassName": "gpu"}]}], 2),
        ([{"name": "gpu", "exactly": {"deviceClassName": "gpu"}},
          {"name": "nic", "exactly": {"deviceClassName": "nic"}}], 1),
        ([{"name": "gpu", "exactly": {"deviceClassName": "gpu"}},
          {"name": "all", "exactly": {"deviceClassName": "nic", "adminAccess": True}}], 2),
        ([{"name": "gpu", "exactly": {"deviceClassName": "absent"}}], 0),
    ],
)  # fmt: skip
def test_a_claims_template_is_counted_by_all_that_it_asks_for(requests: list[Manifest], pods: int) -> None:
    nic = {"name": "nic", "attributes": {"type": {"string": "nic"}}}
    nics = class_body("nic", expression=f"device.attributes['{DRIVER}'].type == 'nic'")
    worn = gpu("worn", taints=[{"key": "worn", "value": "out", "effect": "NoSchedule"}])
    slice_ = slice_body("node", gpu("a"), gpu("b"), nic, worn)
    there = facts(slice_, classes_=[class_body(), nics], claim_templates={"gpu": template_body(*requests)})
    assert offered(there, **BY_CLAIM).get("node", 0) == pods


def test_a_template_that_does_not_exist_offers_nothing() -> None:
    assert offered(facts(TWO, claim_templates={"gpu": None}), **BY_CLAIM) == {}


def test_what_is_taken_of_a_template_is_counted_under_its_name() -> None:
    there = facts(TWO, classes_=[class_body()], claim_templates={"gpu": template_body()})
    assert [free(there, **BY_CLAIM), free(there, "a", **BY_CLAIM)] == [2, 1]
    supply = resolve_devices(service(gpu=BY_CLAIM).spec, there)
    assert supply is not None
    taken = {DeviceId(DRIVER, "node", "a")}
    assert with_taken({}, supply, taken) == {"node": {TEMPLATE: 1}}


def test_a_class_is_missing_unless_an_alternative_of_it_exists() -> None:
    choice = {"name": "gpu", "firstAvailable": [{"deviceClassName": "absent"}, {"deviceClassName": "gpu"}]}
    there = classes(class_body())
    assert missing_classes(template_body(choice), there) == []
    assert missing_classes(template_body({"name": "a", "exactly": {"deviceClassName": "absent"}}), there) == ["absent"]
