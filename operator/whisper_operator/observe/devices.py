"""Devices of dynamic resource allocation: what drivers offer, how classes select it, what is allocated. Pure.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from whisper_operator.api.units import any_quantity
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.manifest import part_of, status_of

Counters = Mapping[tuple[str, str], Decimal]
"""Amount by the set and the name of a counter, from which the partitions of one device draw."""


class DeviceId(NamedTuple):
    driver: str
    pool: str
    name: str


@dataclass(frozen=True, slots=True)
class Place:
    """The nodes on which a device can be used; without name and selector every one."""

    node_name: str = ""
    selector: Manifest | None = None


@dataclass(frozen=True, slots=True)
class DriverDevice:
    id: DeviceId
    place: Place
    attributes: Mapping[str, str | int | bool]
    """By domain/name."""
    memory: Decimal | None
    """Bytes of its capacity named memory; None where it tells none."""
    consumes: Counters = field(default_factory=dict[tuple[str, str], Decimal])
    taints: tuple[Manifest, ...] = ()
    """Those that keep it from pods whose request does not tolerate them."""
    is_shared: bool = False
    """Whether several claims may have it at the same time, each a part of its capacity (KEP-5075)."""


@dataclass(frozen=True, slots=True)
class DeviceSlice:
    """A ResourceSlice: a part of what one driver offers."""

    driver: str
    pool: str
    generation: int
    """Of the pool; slices of older ones are obsolete."""
    devices: tuple[DriverDevice, ...]
    counters: Counters


@dataclass(frozen=True, slots=True)
class DeviceClass:
    name: str
    created: str
    extended_resource: str
    """The resource by whose name pods may ask for its devices (KEP-5004); empty where there is none."""
    expressions: tuple[str, ...]
    """CEL expressions, all of which are true of its devices."""


def device_slice(body: Manifest) -> DeviceSlice:
    """A ResourceSlice, reduced to what decides where a pod finds its devices."""
    spec = body["spec"]
    driver, pool = spec["driver"], spec["pool"]
    return DeviceSlice(
        driver=driver,
        pool=pool["name"],
        generation=pool.get("generation", 0),
        devices=tuple(_devices(spec)),
        counters=_counters(spec.get("sharedCounters") or (), "name"),
    )


def device_class(body: Manifest) -> DeviceClass:
    metadata, spec = body["metadata"], part_of(body, "spec")
    return DeviceClass(
        name=metadata["name"],
        created=metadata.get("creationTimestamp") or "",
        extended_resource=spec.get("extendedResourceName") or "",
        expressions=expressions_of(spec),
    )


def expressions_of(selecting: Manifest) -> tuple[str, ...]:
    """The CEL expressions of a DeviceClass' spec, or of a request for devices."""
    return tuple(one["cel"]["expression"] for one in selecting.get("selectors") or () if "cel" in one)


def allocated(claims: Iterable[Manifest]) -> Iterator[DeviceId]:
    """The devices that ResourceClaims have; an administrator's access, and a share of one, leave them to others."""
    for claim in claims:
        devices = part_of(part_of(status_of(claim), "allocation"), "devices")
        for result in devices.get("results") or ():
            if not result.get("adminAccess") and "shareID" not in result:
                yield DeviceId(result["driver"], result["pool"], result["device"])


def _devices(spec: Manifest) -> Iterator[DriverDevice]:
    driver, pool = spec["driver"], spec["pool"]["name"]
    for device in spec.get("devices") or ():
        place = _place(device if spec.get("perDeviceNodeSelection") else spec)
        if place is None:
            continue
        attributes, capacity = part_of(device, "attributes"), part_of(device, "capacity")
        memory = next((one["value"] for name, one in capacity.items() if name.rpartition("/")[2] == "memory"), None)
        yield DriverDevice(
            id=DeviceId(driver, pool, device["name"]),
            place=place,
            attributes={_qualified(name, driver): next(iter(one.values())) for name, one in attributes.items() if one},
            memory=None if memory is None else any_quantity(memory),
            consumes=_counters(device.get("consumesCounters") or (), "counterSet"),
            taints=tuple(one for one in device.get("taints") or () if one["effect"] in ("NoSchedule", "NoExecute")),
            is_shared=bool(device.get("allowMultipleAllocations")),
        )


def _place(holder: Manifest) -> Place | None:
    """None where it says nothing that is known."""
    if name := holder.get("nodeName"):
        return Place(node_name=name)
    if selector := holder.get("nodeSelector"):
        return Place(selector=selector)
    return Place() if holder.get("allNodes") else None


def _counters(sets: Iterable[Manifest], key: str) -> Counters:
    return {(one[key], name): any_quantity(at["value"]) for one in sets for name, at in one["counters"].items()}


def _qualified(name: str, driver: str) -> str:
    """A name without a domain is in the driver's own."""
    return name if "/" in name else f"{driver}/{name}"
