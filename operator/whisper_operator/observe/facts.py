"""What preflight and rollouts rest on beyond the children: nodes, storage, quotas, others' Ingresses, Secrets. Pure.

None stands for what may not be read, as where only namespaces are watched: the checks that need it then say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from whisper_operator.api.units import any_quantity
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_runtime.contract.reports import FetchProgress

WayIn = tuple[str, str]
"""Host and path of an Ingress."""
Resources = Mapping[str, Decimal]
"""Amount by resource: processors, bytes, GPUs."""


@dataclass(frozen=True)
class Node:
    name: str
    labels: Mapping[str, str]
    taints: tuple[Manifest, ...]
    """Those that keep pods away: NoSchedule and NoExecute."""
    allocatable: Resources
    takes_pods: bool
    """Ready and not cordoned."""


@dataclass(frozen=True)
class Warned:
    """The newest telling Warning that Kubernetes wrote about an object of ours."""

    uid: str
    reason: str
    message: str
    version: int = 0
    """Its resourceVersion: a list gives events in the order of their names."""


@dataclass(frozen=True)
class Facts:
    now: float = 0.0
    """Seconds since the epoch."""
    nodes: tuple[Node, ...] | None = None
    storage_classes: Mapping[str, Manifest] | None = None
    quotas: tuple[Manifest, ...] | None = None
    limit_ranges: tuple[Manifest, ...] | None = None
    taken: Mapping[WayIn, str] = field(default_factory=dict[WayIn, str])
    """Namespace/name of the Ingress that holds each way in."""
    warnings: Mapping[tuple[str, str], Warned] = field(default_factory=dict[tuple[str, str], Warned])
    """By kind and name, in the service's namespace."""
    secrets: Mapping[str, frozenset[str] | None] = field(default_factory=dict[str, frozenset[str] | None])
    """Keys of each Secret that the spec names; None: it is not there."""
    config_maps: Mapping[str, frozenset[str] | None] = field(default_factory=dict[str, frozenset[str] | None])
    """Keys of each ConfigMap that the spec names; None: it is not there."""
    claims: Mapping[str, Manifest | None] = field(default_factory=dict[str, Manifest | None])
    """The claims that the spec names: the cache's own, and the source's; None: it is not there."""
    progress: FetchProgress | None = None
    """What the pod that fetches the wanted model tells; None where none does."""
    requested: Mapping[str, Resources] | None = None
    """What the pods of each node ask for; counted only when a rollout has to be decided."""


def way_in(service: WhisperService) -> WayIn | None:
    """What the service's Ingress claims; None where it has none."""
    ingress = service.spec.ingress
    return (ingress.host or "", ingress.path) if ingress else None


def node(body: Manifest) -> Node:
    """A Node object, reduced to what decides where pods go."""
    spec, status = body.get("spec", {}), body.get("status", {})
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in status.get("conditions", ()))
    return Node(
        name=body["metadata"]["name"],
        labels=body["metadata"].get("labels", {}),
        taints=tuple(taint for taint in spec.get("taints", ()) if taint["effect"] != "PreferNoSchedule"),
        allocatable=amounts(status.get("allocatable", {})),
        takes_pods=ready and not spec.get("unschedulable", False),
    )


def amounts(quantities: Mapping[str, Any]) -> dict[str, Decimal]:
    return {name: any_quantity(value) for name, value in quantities.items()}


def pod_requests(spec: Manifest) -> dict[str, Decimal]:
    """What a pod asks of its node: the sum over its containers, or the largest of its init containers.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
    """
    total: dict[str, Decimal] = {}
    for container in spec.get("containers", ()):
        for name, value in amounts(container.get("resources", {}).get("requests", {})).items():
            total[name] = total.get(name, Decimal(0)) + value
    for container in spec.get("initContainers", ()):
        for name, value in amounts(container.get("resources", {}).get("requests", {})).items():
            total[name] = max(total.get(name, Decimal(0)), value)
    return total


def requested_by_node(pods: list[Manifest]) -> dict[str, dict[str, Decimal]]:
    """What the pods that hold resources ask for, by the node that they are on."""
    found: dict[str, dict[str, Decimal]] = {}
    for pod in pods:
        where = pod["spec"].get("nodeName")
        if where and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            on_node = found.setdefault(where, {})
            for name, value in pod_requests(pod["spec"]).items():
                on_node[name] = on_node.get(name, Decimal(0)) + value
    return found
