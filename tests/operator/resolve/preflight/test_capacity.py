"""The nodes: GPUs, memory and processors."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.resolve.preflight.findings import GPU, TAINT, assert_found
from tests.operator.samples import node


@pytest.mark.parametrize(
    ("spec", "facts", "reason", "says", "holds"),
    [
        (GPU, {"nodes": (node(),)}, "GpuNotFound", "no node offers nvidia.com/gpu", False),
        (GPU, {"nodes": (node(gpu="1", taints=(TAINT,)),)}, "GpuNotFound", "lets the pods run on none of them", False),
        (GPU | {"scheduling": {"nodeSelector": {"zone": "a"}}}, {"nodes": (node(gpu="1"),)},
         "GpuNotFound", "correct nodeSelector", False),
        (GPU | {"replicas": 3}, {"nodes": (node(gpu="1"), node("b", gpu="1"))},
         "InsufficientGpu", "3 nvidia.com/gpu are needed, and the nodes that the pods may run on have 2", False),
        (GPU | {"model": {"name": "large-v3"}}, {"nodes": (node(gpu="1", labels={"nvidia.com/gpu.memory": "4096"}),)},
         "GpuMemoryTooSmall", "large-v3 in float16 takes 6017Mi of GPU memory", False),
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
