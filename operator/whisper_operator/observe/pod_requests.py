"""The resources that pods ask of their nodes, summed as the pages of a list stream by: no pod is kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects.manifest import status_of
from whisper_operator.observe.facts import ResourceAmounts, amounts
from whisper_operator.observe.pod_status import ENDED

NodeRequests = Mapping[str, ResourceAmounts]
"""The sum of what pods request, by the node that they are on."""


def pod_requests(spec: Manifest) -> dict[str, Decimal]:
    """The request of a pod to its node: the sum over its containers, or the largest of its init containers.

    Source: https://kubernetes.io/docs/concepts/workloads/pods/init-containers/#resource-sharing-within-containers
    """
    total: dict[str, Decimal] = {}
    for requests in _container_requests(spec, "containers"):
        for name, value in requests.items():
            total[name] = total.get(name, Decimal(0)) + value
    for requests in _container_requests(spec, "initContainers"):
        for name, value in requests.items():
            total[name] = max(total.get(name, Decimal(0)), value)
    return total


def add_requests(total: dict[str, dict[str, Decimal]], pods: Iterable[Manifest]) -> None:
    """Adds to `total`, by node, the requests of those of `pods` that are on a node and have not ended."""
    for pod in pods:
        node = pod["spec"].get("nodeName")
        if node and status_of(pod).get("phase") not in ENDED:
            on_node = total.setdefault(node, {})
            for name, value in pod_requests(pod["spec"]).items():
                on_node[name] = on_node.get(name, Decimal(0)) + value


def _container_requests(spec: Manifest, containers: str) -> Iterable[dict[str, Decimal]]:
    return (amounts(one.get("resources", {}).get("requests", {})) for one in spec.get(containers, ()))
