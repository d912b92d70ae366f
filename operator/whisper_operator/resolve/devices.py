"""The GPUs that drivers of dynamic resource allocation offer to a service's pods, by node: pure.

They stand in the nodes' allocatable resources as a device plugin's do, so that every decision counts both alike. A pod
asks for them by the extended resource that a DeviceClass maps (KEP-5004), or by a ResourceClaimTemplate.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from whisper_operator.api.spec.pods import GpuSpec
from whisper_operator.api.v1alpha1 import Manifest, Spec
from whisper_operator.objects.manifest import part_of
from whisper_operator.observe.devices import Counters, DeviceClass, DeviceId, DeviceSlice, DriverDevice, expressions_of
from whisper_operator.observe.facts import Facts, Node, ResourceAmounts
from whisper_operator.observe.pod_requests import NodeRequests
from whisper_operator.resolve.device_selectors import may_select
from whisper_operator.resolve.scheduling import matches_selector, tolerates

SHARES: Final = 1000
"""Claims that may share a device that several may have: how much each takes of its capacity is not counted."""


@dataclass(frozen=True)
class DeviceRequest:
    """So many devices of one kind; a pod's request is met by any one of its alternatives."""

    expressions: tuple[str, ...]
    count: int | None
    """None: all that a node has."""
    tolerations: tuple[Manifest, ...] = ()

    def selects(self, device: DriverDevice) -> bool:
        is_tolerated = all(tolerates(self.tolerations, taint) for taint in device.taints)
        return is_tolerated and may_select(self.expressions, device)


@dataclass(frozen=True)
class DeviceSupply:
    """The devices from which a pod's GPU may be taken."""

    counted_as: str
    """The name by which a node's allocatable resources have them."""
    requests: tuple[tuple[DeviceRequest, ...], ...]
    """What one pod asks for, each with its alternatives."""
    by_node: Mapping[str, Sequence[DriverDevice]]
    counters: Mapping[tuple[str, str], Counters]
    """Amounts that partitions share, by driver and pool."""

    def pods_on(self, devices: Sequence[DriverDevice]) -> int:
        """The pods for which those devices are enough."""
        if not self.requests:
            return 0
        return min(max((_times(one, devices) for one in choice), default=0) for choice in self.requests)

    def memories_on(self, nodes: Iterable[Node]) -> list[Decimal | None]:
        """The memory of each device there of which a pod may get one."""
        found = [device for node in nodes for device in self.by_node.get(node.name, ())]
        wanted = [one for choice in self.requests for one in choice]
        return [device.memory for device in found if any(one.selects(device) for one in wanted)]


def resolve_devices(spec: Spec, facts: Facts) -> DeviceSupply | None:
    """The supply for the spec's GPU; None where no driver offers it, or that is not known."""
    gpu, classes = spec.gpu, facts.device_classes
    if gpu is None or facts.nodes is None or classes is None:
        return None
    requests = _of_claim(gpu, facts) if gpu.claim else _of_resource(gpu, classes)
    if not requests and gpu.claim is None:
        return None
    slices = _newest(facts.slices)
    devices = [device for one in slices for device in one.devices]
    by_node = _by_node(devices, [node for node in facts.nodes if not node.allocatable.get(gpu.counted_as)])
    counters: dict[tuple[str, str], Counters] = {}
    for one in slices:
        counters[one.driver, one.pool] = {**counters.get((one.driver, one.pool), {}), **one.counters}
    return DeviceSupply(gpu.counted_as, requests, by_node, counters)


def with_devices(facts: Facts, supply: DeviceSupply | None) -> Facts:
    """`facts`, whose nodes have the supply among their allocatable resources."""
    if supply is None or facts.nodes is None:
        return facts
    return replace(facts, nodes=tuple(_with_pods(node, supply) for node in facts.nodes))


def with_taken(requested: NodeRequests, supply: DeviceSupply, taken: Collection[DeviceId]) -> NodeRequests:
    """`requested`, where of the supply is requested what is not free while those devices are taken."""
    free_of, total = _freedom(supply, taken), dict[str, ResourceAmounts](requested)
    for node, devices in supply.by_node.items():
        free = [device for device in devices if free_of(device)]
        count = supply.pods_on(devices) - supply.pods_on(free)
        total[node] = {**requested.get(node, {}), supply.counted_as: Decimal(count)}
    return total


def missing_classes(template: Manifest, classes: Mapping[str, DeviceClass]) -> list[str]:
    """The DeviceClasses that a ResourceClaimTemplate names and that do not exist; alternatives may be missing."""
    found: list[str] = []
    for choice in _choices(template):
        names = [one.get("deviceClassName", "") for one in choice]
        if names and not any(name in classes for name in names):
            found += names
    return found


def _of_resource(gpu: GpuSpec, classes: Mapping[str, DeviceClass]) -> tuple[tuple[DeviceRequest, ...], ...]:
    """By the class that maps the resource; of two of them by the newer one, as the scheduler does."""
    mapping = [one for one in classes.values() if one.extended_resource == gpu.resource_name]
    if not mapping:
        return ()
    newest = max(one.created for one in mapping)
    first = min((one for one in mapping if one.created == newest), key=lambda one: one.name)
    return ((DeviceRequest(first.expressions, gpu.count),),)


def _of_claim(gpu: GpuSpec, facts: Facts) -> tuple[tuple[DeviceRequest, ...], ...]:
    template, classes = facts.claim_templates.get(gpu.claim_template or ""), facts.device_classes or {}
    return tuple(
        tuple(
            _requested(one, classes[one["deviceClassName"]]) for one in choice if one.get("deviceClassName") in classes
        )
        for choice in (_choices(template) if template else ())
    )


def _requested(request: Manifest, by: DeviceClass) -> DeviceRequest:
    count = None if request.get("allocationMode") == "All" else max(request.get("count", 1), 1)
    tolerations = tuple(request.get("tolerations") or ())
    return DeviceRequest((*by.expressions, *expressions_of(request)), count, tolerations)


def _choices(template: Manifest) -> list[list[Manifest]]:
    """The template's requests, each as its alternatives; an administrator's access takes no device."""
    requests: list[Manifest] = template["spec"]["spec"].get("devices", {}).get("requests") or []
    choices = [_alternatives(one) for one in requests]
    return [choice for choice in choices if not any(one.get("adminAccess") for one in choice)]


def _alternatives(request: Manifest) -> list[Manifest]:
    return request.get("firstAvailable") or [part_of(request, "exactly")]


def _times(request: DeviceRequest, devices: Sequence[DriverDevice]) -> int:
    found = sum(SHARES if device.is_shared else 1 for device in devices if request.selects(device))
    return min(found, 1) if request.count is None else found // request.count


def _newest(slices: Sequence[DeviceSlice]) -> list[DeviceSlice]:
    """The slices of each pool's newest generation."""
    newest: dict[tuple[str, str], int] = {}
    for one in slices:
        newest[one.driver, one.pool] = max(one.generation, newest.get((one.driver, one.pool), 0))
    return [one for one in slices if one.generation == newest[one.driver, one.pool]]


def _by_node(devices: Sequence[DriverDevice], nodes: Sequence[Node]) -> dict[str, Sequence[DriverDevice]]:
    """Of each node its own devices, and those that several nodes can use."""
    own, shared = dict[str, list[DriverDevice]](), [one for one in devices if not one.place.node_name]
    for device in devices:
        if device.place.node_name:
            own.setdefault(device.place.node_name, []).append(device)
    return {node.name: [*own.get(node.name, ()), *(one for one in shared if _reaches(one, node))] for node in nodes}


def _reaches(device: DriverDevice, node: Node) -> bool:
    return device.place.selector is None or matches_selector(node, device.place.selector)


def _with_pods(node: Node, supply: DeviceSupply) -> Node:
    count = supply.pods_on(supply.by_node.get(node.name, ()))
    return replace(node, allocatable={**node.allocatable, supply.counted_as: Decimal(count)}) if count else node


def _freedom(supply: DeviceSupply, taken: Collection[DeviceId]) -> Callable[[DriverDevice], bool]:
    """Whether a device is not taken, and its pool has left what it consumes of the shared counters."""
    known = {device.id: device for devices in supply.by_node.values() for device in devices}
    left = {pool: dict(counters) for pool, counters in supply.counters.items()}
    for device in (known[one] for one in taken if one in known):
        of_pool = left.get((device.id.driver, device.id.pool), {})
        for counter, amount in device.consumes.items():
            of_pool[counter] = of_pool.get(counter, Decimal(0)) - amount

    def is_free(device: DriverDevice) -> bool:
        of_pool = left.get((device.id.driver, device.id.pool), {})
        return device.id not in taken and all(
            of_pool.get(counter, Decimal(0)) >= amount for counter, amount in device.consumes.items()
        )

    return is_free
