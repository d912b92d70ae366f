"""The pods that a spec asks for: each container's requests and limits, podTemplate's own included. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from whisper_operator.api.spec.front import FrontSpec
from whisper_operator.api.v1alpha1 import Manifest, Spec
from whisper_operator.objects.manifest import part_of
from whisper_operator.objects.strategic_merge import overlaid
from whisper_operator.observe.facts import ResourceAmounts, amounts
from whisper_operator.resolve import sizing
from whisper_operator.resolve.fetches import fetches
from whisper_operator.resolve.pod_shape import is_well_formed

FIELDS: Final = {
    "server": "spec.resources",
    "fetch": "spec.prefetch.resources",
    "verify": "spec.verification.resources",
    "front": "spec.front.resources",
}
"""The field that sets a container's resources, by the container's name."""
SERVES, FETCHES, VERIFIES = "a pod that serves", "the pod that fetches", "the pod that verifies"
FRONTS = "the front"


@dataclass(frozen=True)
class AskedContainer:
    name: str
    field: str
    """Path in the spec that sets its resources."""
    requests: ResourceAmounts
    limits: ResourceAmounts
    ends_first: bool = False
    """Whether it ends before the containers start: an init container that is no sidecar."""


@dataclass(frozen=True)
class AskedPod:
    what: str
    """The pod in a sentence: SERVES, FETCHES, VERIFIES or FRONTS."""
    field: str
    """Path in the spec that sets the resources of its own container, that of the operator's."""
    containers: tuple[AskedContainer, ...]
    priority_class: str | None = None

    @property
    def requests(self) -> dict[str, Decimal]:
        return _of_pod((one.requests, one.ends_first) for one in self.containers)

    @property
    def limits(self) -> dict[str, Decimal]:
        return _of_pod((one.limits, one.ends_first) for one in self.containers)


def server_pod_spec(spec: Spec) -> Manifest:
    """Returns the part of a server pod's spec that decides where it may run; a malformed podTemplate is left out."""
    scheduling = spec.scheduling
    fetched = fetches(spec) if spec.cache.type == "EmptyDir" else ()
    init = [{"name": fetch.container, "resources": sizing.fetch_resources(spec)} for fetch in fetched]
    own: Manifest = {
        "nodeSelector": scheduling.node_selector,
        "affinity": scheduling.affinity or {},
        "tolerations": list(scheduling.tolerations),
        **({"priorityClassName": scheduling.priority_class_name} if scheduling.priority_class_name else {}),
        "initContainers": init,
        "containers": [{"name": "server", "resources": sizing.resources(spec)}],
    }
    return _overlaid(own, spec.pod_template)


def serving(spec: Spec) -> AskedPod:
    return _asked(SERVES, "server", server_pod_spec(spec), "spec.podTemplate")


def fetching(spec: Spec) -> AskedPod:
    """The pod of the Job that fetches into a claim."""
    own = _of_job(spec, "fetch", sizing.fetch_resources(spec))
    return _asked(FETCHES, "fetch", _overlaid(own, spec.prefetch.pod_template), "spec.prefetch.podTemplate")


def verifying(spec: Spec) -> AskedPod:
    own = _of_job(spec, "verify", sizing.verify_resources(spec))
    template = spec.verification.pod_template if spec.verification else None
    return _asked(VERIFIES, "verify", _overlaid(own, template), "spec.verification.podTemplate")


def fronting(spec: Spec) -> AskedPod:
    """A pod of the front."""
    resources = sizing.front_resources(spec.wanted_front or FrontSpec())
    return _asked(FRONTS, "front", _of_job(spec, "front", resources), "spec.podTemplate")


def _of_job(spec: Spec, container: str, resources: sizing.Resources) -> Manifest:
    priority = spec.scheduling.priority_class_name
    return {
        **({"priorityClassName": priority} if priority else {}),
        "containers": [{"name": container, "resources": resources}],
    }


def _overlaid(own: Manifest, template: Manifest | None) -> Manifest:
    if not template:
        return own
    over: Manifest = {"spec": part_of(template, "spec")}
    merged: Any = overlaid({"metadata": {"labels": {}}, "spec": own}, over).get("spec")
    return merged if is_well_formed(merged) else own


def _asked(what: str, container: str, pod: Manifest, template: str) -> AskedPod:
    init = [_container(one, f"{template}.spec.initContainers", is_init=True) for one in pod.get("initContainers") or ()]
    rest = [_container(one, f"{template}.spec.containers", is_init=False) for one in pod["containers"]]
    return AskedPod(what, FIELDS[container], (*init, *rest), pod.get("priorityClassName"))


def _container(body: Manifest, among: str, *, is_init: bool) -> AskedContainer:
    """As the API server defaults it: a request that is left out is the limit."""
    name, resources = body.get("name", ""), part_of(body, "resources")
    limits = amounts(part_of(resources, "limits"))
    requests = {**limits, **amounts(part_of(resources, "requests"))}
    field = FIELDS.get(name, f"{among}[{name}].resources")
    return AskedContainer(name, field, requests, limits, is_init and body.get("restartPolicy") != "Always")


def _of_pod(containers: Iterable[tuple[ResourceAmounts, bool]]) -> dict[str, Decimal]:
    """The sum over the containers that run together, or the largest of one that ends before them.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
    """
    together, first = dict[str, Decimal](), dict[str, Decimal]()
    for found, ends_first in containers:
        for name, amount in found.items():
            if ends_first:
                first[name] = max(first.get(name, Decimal(0)), amount)
            else:
                together[name] = together.get(name, Decimal(0)) + amount
    return {name: max(together.get(name, Decimal(0)), first.get(name, Decimal(0))) for name in _names(together, first)}


def _names(*found: ResourceAmounts) -> Iterator[str]:
    yield from dict.fromkeys(name for one in found for name in one)
