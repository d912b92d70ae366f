"""The nodes: GPUs, memory and processors."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.operator.resolve.preflight.findings import GPU, TAINT, assert_found, checked
from tests.operator.samples import node, observed, service
from tests.support.devices import class_body, classes, gpu, slice_body, slices, template_body
from whisper_operator.observe.facts import Node


def offering(resource: str, labels: dict[str, str]) -> Node:
    """A node with those labels, and seven of that resource."""
    found = node(labels=labels)
    return replace(found, allocatable={**found.allocatable, resource: Decimal(7)})


LARGE = {"model": {"name": "large-v3"}}
MIG = "nvidia.com/mig-1g.5gb"
BY_CLAIM = {"gpu": {"claim": {"resourceClaimTemplateName": "gpu"}}}
OF_ABSENT_CLASS = {"name": "gpu", "exactly": {"deviceClassName": "absent"}}
SMALL = gpu("a", capacity={"memory": {"value": "4864Mi"}})
ON_DEVICES: dict[str, Any] = {
    "nodes": (node(labels={"nvidia.com/gpu.memory": "81920"}),),
    "device_classes": classes(class_body(resource="nvidia.com/gpu")),
}
"""A node whose GPUs a driver of dynamic resource allocation offers."""


@pytest.mark.parametrize(
    ("spec", "facts", "reason", "says", "holds"),
    [
        (GPU, {"nodes": (node(),)}, "GpuNotFound", "no node offers nvidia.com/gpu", False),
        (GPU, {"nodes": (node(gpu="1", taints=(TAINT,)),)}, "GpuNotFound", "lets the pods run on none of them", False),
        (GPU | {"scheduling": {"nodeSelector": {"zone": "a"}}}, {"nodes": (node(gpu="1"),)},
         "GpuNotFound", "correct nodeSelector", False),
        (GPU | {"replicas": 3}, {"nodes": (node(gpu="1"), node("b", gpu="1"))},
         "InsufficientGpu", "3 pods need nvidia.com/gpu, named in spec.gpu.resourceName, and the nodes that they may "
         "run on have enough for 2", False),
        (GPU | {"model": {"name": "large-v3"}}, {"nodes": (node(gpu="1", labels={"nvidia.com/gpu.memory": "4096"}),)},
         "GpuMemoryTooSmall", "large-v3 in float16 takes 6017Mi of GPU memory", False),
        (GPU | LARGE | {"gpu": {"resourceName": MIG}},
         {"nodes": (offering(MIG, {f"{MIG}.memory": "4864", "nvidia.com/gpu.memory": "40960"}),)},
         "GpuMemoryTooSmall", "the largest GPU that the pods may run on has 4864Mi", False),
        (GPU | LARGE | {"gpu": {"resourceName": "nvidia.com/gpu.shared"}},
         {"nodes": (offering("nvidia.com/gpu.shared", {"nvidia.com/gpu.memory": "4096"}),)},
         "GpuMemoryTooSmall", "has 4096Mi", False),
        (GPU | LARGE, ON_DEVICES | {"slices": slices(slice_body("node", SMALL))},
         "GpuMemoryTooSmall", "the largest GPU that the pods may run on has 4864Mi", False),
        (GPU, ON_DEVICES | {"slices": slices(slice_body("other", gpu("a")))},
         "GpuNotFound", "no node offers nvidia.com/gpu", False),
        (GPU | {"replicas": 2}, ON_DEVICES | {"slices": slices(slice_body("node", gpu("a")))},
         "InsufficientGpu", "2 pods need nvidia.com/gpu, named in spec.gpu.resourceName, and the nodes that they may "
         "run on have enough for 1", False),
        (GPU | BY_CLAIM | {"replicas": 2},
         ON_DEVICES | {"slices": slices(slice_body("node", gpu("a"))), "claim_templates": {"gpu": template_body()}},
         "InsufficientGpu", "2 pods need a device for ResourceClaimTemplate gpu, named in "
         "spec.gpu.claim.resourceClaimTemplateName, and the nodes that they may run on have enough for 1", False),
        (GPU | BY_CLAIM, {"claim_templates": {"gpu": None}},
         "GpuClaimInvalid", "ResourceClaimTemplate team/gpu, named in spec.gpu.claim.resourceClaimTemplateName, does "
         "not exist: create it", True),
        (GPU | BY_CLAIM, ON_DEVICES | {"claim_templates": {"gpu": template_body(OF_ABSENT_CLASS)}},
         "GpuClaimInvalid", "asks for devices of DeviceClass absent, which does not exist: install the GPU's driver, "
         "or name a class that exists (the cluster has gpu)", False),
        (GPU | BY_CLAIM, ON_DEVICES | {"claim_templates": {"gpu": template_body()}},
         "GpuNotFound", "no node offers a device for ResourceClaimTemplate gpu", False),
        ({"model": {"name": "large-v3"}}, {"nodes": (node(memory="4Gi"),)},
         "InsufficientMemory", "the largest node that it may run on has 4096Mi", False),
        ({"resources": {"requests": {"cpu": "16"}}}, {"nodes": (node(),)},
         "InsufficientCpu", "asks for 16 of cpu", False),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(
    spec: dict[str, Any], facts: dict[str, Any], reason: str, says: str, holds: bool
) -> None:
    assert_found(spec, facts, reason, says, holds)


@pytest.mark.parametrize(
    ("spec", "facts"),
    [
        (GPU | LARGE | {"gpu": {"resourceName": MIG}},
         {"nodes": (offering(MIG, {"nvidia.com/gpu.memory": "4096"}),)}),
        (GPU | LARGE, ON_DEVICES | {"slices": slices(slice_body("node", gpu("a"), SMALL | {"name": "b"}))}),
        (GPU | LARGE, ON_DEVICES | {"slices": slices(slice_body("node", SMALL, gpu("b", capacity={})))}),
        (GPU | BY_CLAIM, ON_DEVICES | {"claim_templates": {"gpu": template_body()},
                                       "slices": slices(slice_body("node", gpu("a")))}),
        (GPU | BY_CLAIM, {}),
    ],
    ids=["a MIG device whose label is that of the card", "one device is large enough", "one does not tell", "by claim",
         "nothing is known"],
)  # fmt: skip
def test_nothing_is_found_where_a_gpu_may_do(spec: dict[str, Any], facts: dict[str, Any]) -> None:
    assert checked(service(**spec), observed(**facts)).findings == []
