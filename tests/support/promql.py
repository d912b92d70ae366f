"""Which series a PromQL expression reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from hack.generate import metrics_reference

GROUPING: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
SELECTOR: Final = re.compile(r"(?<![\w$])([a-zA-Z_:][\w:]*)\s*(\(|\{[^}]*\})?")
OPERATORS: Final = frozenset({"and", "or", "unless", "bool", "offset"})

SCRAPED: Final = frozenset({"namespace", "service", "pod", "container", "job", "instance", "endpoint"})
"""Labels that a ServiceMonitor gives to whatever it scrapes."""
OF_OTHERS: Final[Mapping[str, frozenset[str]]] = {
    # Prometheus itself
    "up": frozenset(),
    "ALERTS": frozenset({"alertname", "alertstate", "severity", "whisperservice"}),
    # kube-state-metrics
    "kube_deployment_spec_replicas": frozenset({"deployment"}),
    "kube_pod_container_status_restarts_total": frozenset({"uid"}),
    "kube_pod_container_resource_limits": frozenset({"resource", "unit", "node", "uid"}),
    # the kubelet's cAdvisor
    "container_cpu_usage_seconds_total": frozenset({"cpu", "id", "image", "name"}),
    "container_memory_working_set_bytes": frozenset({"id", "image", "name"}),
    # prometheus_client, in the operator's process
    "process_cpu_seconds_total": frozenset(),
    "process_resident_memory_bytes": frozenset(),
}


def selectors(expression: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Each metric that `expression` names, with the labels that it is selected by."""
    bare = GROUPING.sub(" ", re.sub(r'"[^"]*"', '""', expression))
    for name, after in SELECTOR.findall(bare):
        if after != "(" and name not in OPERATORS:
            yield name, frozenset(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", after))


def unknown(expression: str) -> list[str]:
    """What `expression` reads and nobody exports: metrics, and labels of metrics."""
    known = dict(OF_OTHERS)
    for one in (
        *metrics_reference.runtime_metrics(),
        *metrics_reference.front_metrics(),
        *metrics_reference.operator_metrics(),
    ):
        known |= one.series
    return [
        f"{name}{{{', '.join(sorted(labels - known.get(name, frozenset())))}}}"
        for name, labels in selectors(expression)
        if name not in known or not labels <= known[name] | SCRAPED
    ]
