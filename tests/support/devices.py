"""Objects of dynamic resource allocation, as drivers, administrators and the scheduler write them."""

from __future__ import annotations

from typing import Any, Final

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.observe.devices import DeviceClass, DeviceSlice, device_class, device_slice

DRIVER: Final = "gpu.example.com"
WHOLE_GPU: Final = f"device.driver == '{DRIVER}' && device.attributes['{DRIVER}'].type == 'gpu'"
"""As NVIDIA's driver has it in its class."""


def gpu(name: str, **beside: Any) -> Manifest:
    """A device that is a whole GPU of 80 GiB."""
    capacity = {"memory": {"value": "80Gi"}}
    return {"name": name, "attributes": {"type": {"string": "gpu"}}, "capacity": capacity, **beside}


def slice_body(node: str = "node", *devices: Manifest, generation: int = 1, **spec: Any) -> Manifest:
    """The ResourceSlice of the driver's pool on that node; `spec` takes precedence."""
    pool = {"name": node, "generation": generation, "resourceSliceCount": 1}
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceSlice",
        "metadata": {"name": f"{node}-{generation}"},
        "spec": {"driver": DRIVER, "pool": pool, "nodeName": node, "devices": list(devices), **spec},
    }


def class_body(name: str = "gpu", resource: str = "", expression: str = WHOLE_GPU, created: str = "") -> Manifest:
    """A DeviceClass; empty `resource`: pods cannot ask for its devices by an extended resource."""
    named = {"extendedResourceName": resource} if resource else {}
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "DeviceClass",
        "metadata": {"name": name, **({"creationTimestamp": created} if created else {})},
        "spec": {"selectors": [{"cel": {"expression": expression}}], **named},
    }


def template_body(*requests: Manifest, name: str = "gpu") -> Manifest:
    """A ResourceClaimTemplate; without requests one device of the class gpu."""
    wanted = requests or ({"name": "gpu", "exactly": {"deviceClassName": "gpu"}},)
    return {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": {"name": name},
        "spec": {"spec": {"devices": {"requests": list(wanted)}}},
    }


def allocation(device: str, pool: str = "node", **beside: Any) -> Manifest:
    """A claim's status, by which it has that device."""
    result = {"request": "gpu", "driver": DRIVER, "pool": pool, "device": device, **beside}
    return {"allocation": {"devices": {"results": [result]}}}


def slices(*bodies: Manifest) -> tuple[DeviceSlice, ...]:
    return tuple(map(device_slice, bodies))


def classes(*bodies: Manifest) -> dict[str, DeviceClass]:
    return {body["metadata"]["name"]: device_class(body) for body in bodies}
