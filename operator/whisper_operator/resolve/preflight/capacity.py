"""The nodes: a GPU of the right kind, enough of them, and memory for the model."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.api.spec.pods import GpuSpec
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.observe.facts import Node, amounts
from whisper_operator.observe.observed import Observed
from whisper_operator.resolve import sizing
from whisper_operator.resolve.preflight.finding import Finding, needs_room, wanted_replicas
from whisper_operator.resolve.scheduling import candidates

GPU_MEMORY_LABEL: Final = "nvidia.com/gpu.memory"
"""MiB of one GPU, as NVIDIA's feature discovery labels nodes."""
MEBIBYTE: Final = 1024**2


def gpu_there(service: WhisperService, observed: Observed) -> Finding | None:
    gpu, nodes = service.spec.gpu, observed.facts.nodes
    if gpu is None or nodes is None or not needs_room(service, observed):
        return None
    offering = _offering(gpu, nodes)
    if not offering:
        message = (
            f"no node offers {gpu.resource_name}, named in spec.gpu.resourceName: install the GPU's device plugin, "
            "add such a node, or remove spec.gpu to run on CPU"
        )
        return Finding(c.GPU_NOT_FOUND, message)
    allowed = _allowed(service, offering)
    if not allowed:
        message = (
            f"{len(offering)} nodes offer {gpu.resource_name}, and spec.scheduling lets the pods run on none of them: "
            "correct nodeSelector, affinity and tolerations"
        )
        return Finding(c.GPU_NOT_FOUND, message)
    offered, wanted = sum(node.allocatable[gpu.resource_name] for node in allowed), wanted_replicas(service) * gpu.count
    if offered < wanted:
        message = (
            f"{wanted} {gpu.resource_name} are needed and the nodes that the pods may run on have {offered} in all: "
            "add nodes, or lower spec.replicas or spec.autoscaling.minReplicas"
        )
        return Finding(c.INSUFFICIENT_GPU, message)
    return None


def gpu_memory(service: WhisperService, observed: Observed) -> Finding | None:
    gpu, nodes = service.spec.gpu, observed.facts.nodes
    if gpu is None or nodes is None or service.spec.device == "cpu" or not needs_room(service, observed):
        return None
    labels = [node.labels.get(GPU_MEMORY_LABEL, "") for node in with_gpu(service, nodes)]
    if not labels or not all(label.isdigit() for label in labels):
        return None
    most, needed = max(map(int, labels)), sizing.gpu_memory_mib(service.spec)
    if most >= needed:
        return None
    message = (
        f"{service.spec.model.name} in {sizing.gpu_precision(service.spec)} takes {needed}Mi of a GPU's memory, and "
        f"the largest that the pods may run on has {most}Mi: choose a smaller model, float16, or other nodes"
    )
    return Finding(c.GPU_MEMORY_TOO_SMALL, message)


def memory(service: WhisperService, observed: Observed) -> Finding | None:
    nodes = observed.facts.nodes
    if nodes is None or not needs_room(service, observed):
        return None
    requests = amounts(sizing.resources(service.spec)["requests"])
    for name, field in (("memory", "memory"), ("cpu", "cpu")):
        allowed = _allowed(service, nodes)
        most = max((node.allocatable.get(name, Decimal(0)) for node in allowed), default=None)
        if most is not None and requests.get(name, Decimal(0)) > most:
            shown = f"{int(most / MEBIBYTE)}Mi" if name == "memory" else str(most)
            wanted = sizing.resources(service.spec)["requests"][name]
            message = (
                f"a pod of {service.spec.model.name} asks for {wanted} of {name}, and the largest node that it may run "
                f"on has {shown}: choose a smaller model, larger nodes, or set spec.resources.requests.{field}"
            )
            return Finding(c.INSUFFICIENT_MEMORY if name == "memory" else c.INSUFFICIENT_CPU, message)
    return None


def with_gpu(service: WhisperService, nodes: Iterable[Node]) -> list[Node]:
    """The nodes that offer the GPU, and on which spec.scheduling lets a pod run; all alike where none is asked for."""
    gpu = service.spec.gpu
    return _allowed(service, _offering(gpu, nodes) if gpu else nodes)


def _offering(gpu: GpuSpec, nodes: Iterable[Node]) -> list[Node]:
    return [node for node in nodes if node.allocatable.get(gpu.resource_name, Decimal(0)) >= gpu.count]


def _allowed(service: WhisperService, nodes: Iterable[Node]) -> list[Node]:
    """The nodes on which spec.scheduling lets a pod of this service run."""
    scheduling = service.spec.scheduling
    affinity = {k: v for k, v in (scheduling.affinity or {}).items() if k == "nodeAffinity"}
    spec = {
        "nodeSelector": scheduling.node_selector,
        "affinity": affinity,
        "tolerations": list(scheduling.tolerations),
        "containers": [{"resources": sizing.resources(service.spec)}],
    }
    return candidates({"spec": spec}, nodes)
