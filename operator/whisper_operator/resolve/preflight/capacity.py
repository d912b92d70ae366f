"""The nodes have GPUs of the right kind, enough of them, and memory for the model."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from whisper_operator.api import conditions as c
from whisper_operator.objects.manifest import part_of
from whisper_operator.observe.facts import amounts
from whisper_operator.resolve import sizing
from whisper_operator.resolve.devices import missing_classes
from whisper_operator.resolve.preflight.finding import CheckInput, Finding
from whisper_operator.resolve.scheduling import allowed_nodes, nodes_with_gpu, offering

RENAMED_WHEN_SHARED: Final = ".shared"
"""What NVIDIA's device plugin adds to the resource of GPUs that it shares in time; their labels keep the name."""


def gpu_claim(given: CheckInput) -> Finding | None:
    """The template by which the pods claim a GPU, and the classes that it names, exist."""
    name = _template_name(given)
    if name is None or name not in given.facts.claim_templates:
        return None
    where, template = f"ResourceClaimTemplate {given.namespace}/{name}", given.facts.claim_templates[name]
    if template is None:
        message = (
            f"{where}, named in spec.gpu.claim.resourceClaimTemplateName, does not exist: create it (API "
            "resource.k8s.io/v1), or write spec.gpu.resourceName in its place"
        )
        return Finding(c.GPU_CLAIM_INVALID, message, holds=True)
    classes = given.facts.device_classes
    if classes is not None and (missing := missing_classes(template, classes)):
        message = (
            f"{where}, named in spec.gpu.claim.resourceClaimTemplateName, asks for devices of DeviceClass "
            f"{', '.join(missing)}, which does not exist: install the GPU's driver, or name a class that exists (the "
            f"cluster has {', '.join(sorted(classes)) or 'none'})"
        )
        return Finding(c.GPU_CLAIM_INVALID, message)
    return None


def gpu_there(given: CheckInput) -> Finding | None:
    gpu, nodes = given.spec.gpu, given.facts.nodes
    if gpu is None or nodes is None or not given.needs_room or gpu_claim(given):
        return None
    offered_by = offering(gpu, nodes)
    if not offered_by:
        message = (
            f"no node offers {gpu.asked_for}: install the GPU's device plugin or driver, add such a node, or remove "
            "spec.gpu to run on the CPU"
        )
        return Finding(c.GPU_NOT_FOUND, message)
    allowed = allowed_nodes(given.server_pod, offered_by)
    if not allowed:
        message = (
            f"{len(offered_by)} nodes offer {gpu.device}, and spec.scheduling lets the pods run on none of "
            "them: correct nodeSelector, affinity and tolerations"
        )
        return Finding(c.GPU_NOT_FOUND, message)
    offered, wanted = sum(node.allocatable[gpu.counted_as] for node in allowed), given.wanted_replicas * gpu.count
    if offered < wanted:
        message = (
            f"{wanted} pods need {gpu.asked_for}, and the nodes that they may run on have enough for {offered}: "
            "add nodes, or lower spec.replicas or spec.autoscaling.minReplicas"
        )
        return Finding(c.INSUFFICIENT_GPU, message)
    return None


def gpu_memory(given: CheckInput) -> Finding | None:
    if not given.needs_room or given.spec.device == "cpu":
        return None
    most, needed = _largest_mib(given), sizing.gpu_memory_mib(given.spec)
    if most is None or most >= needed:
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
    allowed = allowed_nodes(given.server_pod, given.facts.nodes)
    requests = amounts(part_of(given.resources, "requests"))
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


def _template_name(given: CheckInput) -> str | None:
    return given.spec.gpu.claim_template if given.spec.gpu else None


def _largest_mib(given: CheckInput) -> int | None:
    """MiB of the largest GPU that the pods may get; None where one does not tell.

    A device tells it itself. Of a device plugin's, NVIDIA's feature discovery labels the nodes by the resource: the
    label of `nvidia.com/gpu` is that of whole cards, also where they are cut (strategy `mixed`).
    Source: https://github.com/NVIDIA/k8s-device-plugin/blob/main/docs/gpu-feature-discovery/README.md
    """
    gpu, nodes = given.spec.gpu, given.facts.nodes
    if gpu is None or nodes is None:
        return None
    offering_it = nodes_with_gpu(given.spec, nodes)
    label = f"{gpu.resource_name.removesuffix(RENAMED_WHEN_SHARED)}.memory"
    of_drivers = frozenset(given.devices.by_node) if given.devices else frozenset[str]()
    labels = [node.labels.get(label, "") for node in offering_it if node.name not in of_drivers]
    memories = given.devices.memories_on(offering_it) if given.devices else []
    told = [int(one) if one.isdigit() else None for one in labels]
    told += [None if one is None else int(one / sizing.MEBIBYTE) for one in memories]
    known = [one for one in told if one is not None]
    return max(known) if known and len(known) == len(told) else None
