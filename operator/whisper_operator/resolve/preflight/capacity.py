"""The nodes have GPUs of the right kind, enough of them, and memory for the model."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.objects.manifest import part_of
from whisper_operator.observe.facts import amounts
from whisper_operator.resolve import sizing
from whisper_operator.resolve.preflight.finding import CheckInput, Finding
from whisper_operator.resolve.scheduling import allowed_nodes, nodes_with_gpu, offering

GPU_MEMORY_LABEL: Final = "nvidia.com/gpu.memory"
"""MiB of one GPU, as NVIDIA's feature discovery labels nodes."""


def gpu_there(given: CheckInput) -> Finding | None:
    gpu, nodes = given.spec.gpu, given.facts.nodes
    if gpu is None or nodes is None or not given.needs_room:
        return None
    offered_by = offering(gpu, nodes)
    if not offered_by:
        message = (
            f"no node offers {gpu.resource_name}, named in spec.gpu.resourceName: install the GPU's device plugin, "
            "add such a node, or remove spec.gpu to run on the CPU"
        )
        return Finding(c.GPU_NOT_FOUND, message)
    allowed = allowed_nodes(given.spec, offered_by)
    if not allowed:
        message = (
            f"{len(offered_by)} nodes offer {gpu.resource_name}, and spec.scheduling lets the pods run on none of "
            "them: correct nodeSelector, affinity and tolerations"
        )
        return Finding(c.GPU_NOT_FOUND, message)
    offered, wanted = sum(node.allocatable[gpu.resource_name] for node in allowed), given.wanted_replicas * gpu.count
    if offered < wanted:
        message = (
            f"{wanted} {gpu.resource_name} are needed, and the nodes that the pods may run on have {offered} in all: "
            "add nodes, or lower spec.replicas or spec.autoscaling.minReplicas"
        )
        return Finding(c.INSUFFICIENT_GPU, message)
    return None


def gpu_memory(given: CheckInput) -> Finding | None:
    gpu, nodes = given.spec.gpu, given.facts.nodes
    if gpu is None or nodes is None or given.spec.device == "cpu" or not given.needs_room:
        return None
    labels = [node.labels.get(GPU_MEMORY_LABEL, "") for node in nodes_with_gpu(given.spec, nodes)]
    if not labels or not all(label.isdigit() for label in labels):
        return None
    most, needed = max(map(int, labels)), sizing.gpu_memory_mib(given.spec)
    if most >= needed:
        return None
    message = (
        f"{given.spec.model.name} in {sizing.gpu_precision(given.spec)} takes {needed}Mi of GPU memory, and the "
        f"largest GPU that the pods may run on has {most}Mi: choose a smaller model, float16, or other nodes"
    )
    return Finding(c.GPU_MEMORY_TOO_SMALL, message)


def memory(given: CheckInput) -> Finding | None:
    """Memory or processors: no node is large enough for one pod."""
    if given.facts.nodes is None or not given.needs_room:
        return None
    allowed, requests = allowed_nodes(given.spec, given.facts.nodes), amounts(part_of(given.resources, "requests"))
    for name, reason in (("memory", c.INSUFFICIENT_MEMORY), ("cpu", c.INSUFFICIENT_CPU)):
        most = max((node.allocatable.get(name, Decimal(0)) for node in allowed), default=None)
        if most is not None and requests.get(name, Decimal(0)) > most:
            shown = f"{int(most / sizing.MEBIBYTE)}Mi" if name == "memory" else str(most)
            message = (
                f"a pod of {given.spec.model.name} asks for {given.resources['requests'][name]} of {name}, and the "
                f"largest node that it may run on has {shown}: choose a smaller model, larger nodes, or set "
                f"spec.resources.requests.{name}"
            )
            return Finding(reason, message)
    return None
