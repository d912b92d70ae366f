"""On which nodes a service's pods could run, as the scheduler judges it: pure.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from whisper_operator.api.spec.pods import GpuSpec
from whisper_operator.api.v1alpha1 import Manifest, Spec
from whisper_operator.objects.manifest import part_of
from whisper_operator.observe.facts import Node, ResourceAmounts
from whisper_operator.observe.pod_requests import NodeRequests, pod_requests
from whisper_operator.resolve.asked_pods import server_pod_spec
from whisper_operator.resolve.pod_shape import is_well_formed


def _number(value: str | None) -> int | None:
    try:
        return int(value or "")
    except ValueError:
        return None


def _compares(label: str | None, values: list[str], larger: bool) -> bool:
    number, bound = _number(label), _number(values[0] if values else None)
    return number is not None and bound is not None and (number > bound if larger else number < bound)


OPERATORS: Final[Mapping[str, Callable[[str | None, list[str]], bool]]] = {
    "In": lambda label, values: label in values,
    "NotIn": lambda label, values: label not in values,
    "Exists": lambda label, _: label is not None,
    "DoesNotExist": lambda label, _: label is None,
    "Gt": lambda label, values: _compares(label, values, True),
    "Lt": lambda label, values: _compares(label, values, False),
}


def allowed_nodes(pod: Manifest, nodes: Iterable[Node]) -> list[Node]:
    """The nodes on which spec.scheduling and spec.podTemplate let a pod that serves run.

    `pod`: as `server_pod_spec` has it.
    """
    affinity = {k: v for k, v in part_of(pod, "affinity").items() if k == "nodeAffinity"}
    return candidates({"spec": {**pod, "affinity": affinity}}, nodes)


def nodes_with_gpu(spec: Spec, nodes: Iterable[Node]) -> list[Node]:
    """The nodes on which a pod may run and that offer its GPU; any of them where the spec asks for none."""
    return allowed_nodes(server_pod_spec(spec), offering(spec.gpu, nodes) if spec.gpu else nodes)


def offering(gpu: GpuSpec, nodes: Iterable[Node]) -> list[Node]:
    """The nodes that have as many GPUs as one pod asks for, taken or free."""
    return [node for node in nodes if node.allocatable.get(gpu.counted_as, Decimal(0)) >= gpu.count]


def candidates(template: Manifest, nodes: Iterable[Node]) -> list[Node]:
    """The nodes that the pod's selector, affinity and tolerations allow; cordoned ones are left out.

    Empty for a malformed template, which no API server takes.
    """
    if not is_well_formed(template.get("spec")):
        return []
    return [node for node in nodes if node.takes_pods and admits(node, template["spec"])]


def admits(node: Node, spec: Manifest) -> bool:
    """Whether the pod's rules and the node's taints let them together; room is another question."""
    if any(node.labels.get(name) != value for name, value in spec.get("nodeSelector", {}).items()):
        return False
    if not _affine(node, spec.get("affinity", {})):
        return False
    resources = {name for container in spec["containers"] for name in container.get("resources", {}).get("limits", {})}
    # Where the ExtendedResourceToleration plugin is on, a taint named as the resource is tolerated by asking for it.
    return all(taint["key"] in resources or tolerates(spec.get("tolerations", ()), taint) for taint in node.taints)


def with_room(
    template: Manifest, nodes: Sequence[Node], requested: NodeRequests, claimed: ResourceAmounts | None = None
) -> list[Node]:
    """Filters `nodes` by what they have left, allocatable less requested: enough for the pod's own requests.

    `claimed`: what the pod claims beside its requests; None: nothing.
    """
    if not nodes:
        return []
    wanted = {**pod_requests(template["spec"]), **(claimed or {})}
    return [
        node
        for node in nodes
        if all(
            node.allocatable.get(name, Decimal(0)) - requested.get(node.name, {}).get(name, Decimal(0)) >= amount
            for name, amount in wanted.items()
        )
    ]


def matches_selector(node: Node, selector: Manifest) -> bool:
    """Whether a NodeSelector, of an affinity or of a driver's devices, selects the node."""
    return any(_matches(node, term) for term in selector["nodeSelectorTerms"])


def _affine(node: Node, affinity: Manifest) -> bool:
    by_node: Manifest = affinity.get("nodeAffinity") or {}
    required: Manifest = by_node.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    return not required.get("nodeSelectorTerms") or matches_selector(node, required)


def _matches(node: Node, term: Manifest) -> bool:
    expressions: list[Manifest] = term.get("matchExpressions") or []
    fields: list[Manifest] = term.get("matchFields") or []
    return all(holds(node.labels.get(one["key"]), one) for one in expressions) and all(
        holds(node.name if one["key"] == "metadata.name" else None, one) for one in fields
    )


def holds(value: str | None, expression: Manifest) -> bool:
    """Whether an expression of a selector holds of the label's value; None: there is no such label."""
    compare = OPERATORS.get(expression["operator"])
    return compare is not None and compare(value, expression.get("values") or [])


def tolerates(tolerations: Iterable[Any], taint: Manifest) -> bool:
    """Whether one of the tolerations is of that taint, of a node or of a driver's device."""
    return any(_tolerates(one, taint) for one in tolerations)


def _tolerates(toleration: Manifest, taint: Manifest) -> bool:
    if toleration.get("effect") not in (None, "", taint["effect"]):
        return False
    if toleration.get("key") in (None, ""):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint["key"]:
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")
