"""Facts beyond the children: nodes, storage, quotas, others' Ingresses, the objects that a spec names. Pure.

None stands for facts that may not be read, as where only namespaces are watched: the checks that need them report it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from whisper_operator.api.units import any_quantity
from whisper_operator.api.v1alpha1 import Manifest, WhisperService
from whisper_operator.objects.manifest import is_true, labels_of, status_of
from whisper_operator.observe.demand import FrontDemand
from whisper_operator.observe.devices import DeviceClass, DeviceSlice
from whisper_operator.observe.hosts import HostPath, ways
from whisper_runtime.contract.front import LoadReport
from whisper_runtime.contract.reports import FetchProgress, JobsReport
from whisper_runtime.contract.shared_store import SharedStoreReport

ResourceAmounts = Mapping[str, Decimal]
"""Amount by resource: processors, bytes, GPUs."""


@dataclass(frozen=True)
class Node:
    name: str
    labels: Mapping[str, str]
    taints: tuple[Manifest, ...]
    """The taints that keep pods away: NoSchedule and NoExecute."""
    allocatable: ResourceAmounts
    takes_pods: bool
    """Ready and not cordoned."""


@dataclass(frozen=True)
class KubernetesWarning:
    """The newest useful Warning Event about an object of ours."""

    uid: str
    reason: str
    message: str
    version: int = 0
    """Its resourceVersion: a list gives events in the order of their names."""
    event: str = ""
    """Name of the Event, which expires."""


@dataclass(frozen=True, slots=True)
class Facts:
    now: float = 0.0
    """Seconds since the epoch."""
    version: tuple[int, int] = (0, 0)
    """Counts of the changes, in the cluster and in the service's namespace, of what watches show as facts: while they
    are the same, so are nodes, classes, slices, quotas and limits."""
    nodes: tuple[Node, ...] | None = None
    storage_classes: Mapping[str, Manifest] | None = None
    slices: tuple[DeviceSlice, ...] = ()
    """What drivers of dynamic resource allocation offer."""
    device_classes: Mapping[str, DeviceClass] | None = None
    """By name; None: only namespaces may be read, or no GPU is asked for."""
    quotas: tuple[Manifest, ...] | None = None
    limit_ranges: tuple[Manifest, ...] | None = None
    taken: Mapping[HostPath, str] = field(default_factory=dict[HostPath, str])
    """Namespace/name of the Ingress that has each host and path that the service asks for."""
    warnings: Mapping[tuple[str, str], KubernetesWarning] = field(
        default_factory=dict[tuple[str, str], KubernetesWarning]
    )
    """By kind and name, in the service's namespace."""
    other_budgets: tuple[str, ...] | None = ()
    """Names of others' PodDisruptionBudgets of the pods, where they were looked for; None: could not be read."""
    rivals: tuple[str, ...] = ()
    """Kind/name of other autoscalers of the Deployment, where they were looked for."""
    front_rivals: tuple[str, ...] = ()
    """The same of the front's Deployment."""
    awaited_nodes: frozenset[str] = frozenset()
    """UIDs of pods of the service that no node has room for, and for which an autoscaler adds one."""
    secrets: Mapping[str, frozenset[str] | None] = field(default_factory=dict[str, frozenset[str] | None])
    """Keys of each Secret that the spec names; None: it does not exist."""
    config_maps: Mapping[str, frozenset[str] | None] = field(default_factory=dict[str, frozenset[str] | None])
    """Keys of each ConfigMap that the spec names; None: it does not exist."""
    claims: Mapping[str, Manifest | None] = field(default_factory=dict[str, Manifest | None])
    """The claims that the spec names: the cache's, and the source's; None: it does not exist."""
    claim_templates: Mapping[str, Manifest | None] = field(default_factory=dict[str, Manifest | None])
    """The ResourceClaimTemplate that the spec names; None: it does not exist."""
    accounts: Mapping[str, Manifest | None] = field(default_factory=dict[str, Manifest | None])
    """The ServiceAccount that the spec names without creating it; None: it does not exist."""
    gateways: Mapping[tuple[str, str], Manifest | None] = field(default_factory=dict[tuple[str, str], Manifest | None])
    """By namespace and name: the Gateways that the spec names and that can be read; None: it does not exist."""
    lacks_secrets: bool = False
    """Whether a Secret that the spec names could not be read."""
    lacks_claims: bool = False
    """Whether a claim that the spec names could not be read: then neither model nor pods can be judged."""
    progress: FetchProgress | None = None
    """Progress that the pod fetching the wanted model reports; None where none does."""
    jobs: JobsReport | None = None
    """What waits as jobs, as a pod reports that keeps them; None where none does."""
    demand: FrontDemand | None = None
    """What clients want, as the front reports it; None: it was not asked."""
    load: LoadReport | None = None
    """What a pod that serves has left, where it may be about to end; None: none was asked, or none answers."""
    store_reports: Mapping[str, SharedStoreReport | None] = field(default_factory=dict[str, SharedStoreReport | None])
    """What ready pods report on the store that they share, by their names; None: the pod does not answer."""


def host_paths(service: WhisperService) -> tuple[HostPath, ...]:
    """The hosts and paths that the service's Ingress asks for; none where there is no Ingress."""
    ingress = service.spec.ingress
    return ways(ingress.hosts, (path for path, _ in ingress.paths)) if ingress else ()


def node(body: Manifest) -> Node:
    """A Node object, reduced to what decides where pods go."""
    spec = body.get("spec", {})
    return Node(
        name=body["metadata"]["name"],
        labels=labels_of(body),
        taints=tuple(taint for taint in spec.get("taints", ()) if taint["effect"] != "PreferNoSchedule"),
        allocatable=amounts(status_of(body).get("allocatable", {})),
        takes_pods=is_true(body, "Ready") and not spec.get("unschedulable", False),
    )


def amounts(quantities: Mapping[str, Any]) -> dict[str, Decimal]:
    return {name: any_quantity(value) for name, value in quantities.items()}
