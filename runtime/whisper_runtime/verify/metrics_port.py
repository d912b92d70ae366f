"""Whether the port for probes and Prometheus answers as the cluster expects, and what a pod tells there of itself."""

from __future__ import annotations

from http.client import HTTPException
from typing import Any, Final

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from whisper_runtime.contract.metric_names import (
    DEVICE_MEMORY_METRIC,
    EGRESS_METRIC,
    MODEL_INFO_METRIC,
    MODEL_LOAD_METRIC,
    REQUESTS_METRIC,
    USER_METRIC,
)
from whisper_runtime.contract.network import HEALTH_PATH, METRICS_PATH, READY_PATH
from whisper_runtime.verify.checks import Examine, Subject, Wrong, wanted
from whisper_runtime.verify.client import Server


def is_healthy(subject: Subject) -> str:
    return f"healthy, serves {wanted(_metrics(subject).get(HEALTH_PATH), 200).json['model']}"


def is_ready(subject: Subject) -> str:
    wanted(_metrics(subject).get(READY_PATH), 200)
    return "ready"


def counts(subject: Subject) -> str:
    names = {family.name for family in _families(subject)}
    if REQUESTS_METRIC.removesuffix("_total") not in names:
        raise Wrong(f"{REQUESTS_METRIC} is not among the metrics")
    return f"{len(names)} metrics"


def is_not_root(subject: Subject) -> str:
    user = _value(subject, USER_METRIC)
    if not user:
        raise Wrong("the server runs as root: have the pod run as another user (runAsNonRoot)")
    return f"runs as user {user:.0f}"


def has_no_way_out(subject: Subject) -> str:
    if _value(subject, EGRESS_METRIC):
        raise Wrong(
            "a pod reached the Kubernetes API, which spec.networkPolicy allows to nobody: the cluster's network "
            "enforces no NetworkPolicy; use a network plugin that does (such as Cilium or Calico), or remove "
            "spec.networkPolicy"
        )
    return "a pod could not reach the Kubernetes API"


def _value(subject: Subject, name: str) -> float:
    """Of the metric's only sample; raises Wrong where there is none."""
    found = _samples(subject).get(name)
    if found is None:
        raise Wrong(f"{name} is not among the metrics")
    return found.value


CHECKS: Final[tuple[tuple[str, Examine], ...]] = (
    ("health", is_healthy),
    ("ready", is_ready),
    ("metrics", counts),
    ("not-root", is_not_root),
)
NO_EGRESS: Final[tuple[tuple[str, Examine], ...]] = (("no-way-out", has_no_way_out),)
"""Where the pods are to reach nothing but DNS."""


def told(subject: Subject) -> dict[str, Any]:
    """What a pod says of its start, its device and its memory, by the fields of Performance; nothing where it does not.

    A check of its own says whether the metrics answer.
    """
    try:
        samples = _samples(subject)
    except (OSError, HTTPException, ValueError, Wrong):
        return {}
    values = {name: sample.value for name, sample in samples.items()}
    info = samples[MODEL_INFO_METRIC].labels if MODEL_INFO_METRIC in samples else {}
    found = {
        "load_seconds": round(values.get(MODEL_LOAD_METRIC, 0.0), 2),
        "device": info.get("device"),
        "compute_type": info.get("compute_type"),
        "memory_bytes": int(values.get(DEVICE_MEMORY_METRIC, 0.0)),
    }
    return {field: value for field, value in found.items() if value}


def _families(subject: Subject) -> list[Metric]:
    """What the server counts; raises Wrong where it does not answer, ValueError where that is no metrics."""
    return list(text_string_to_metric_families(wanted(_metrics(subject).get(METRICS_PATH), 200).text))


def _samples(subject: Subject) -> dict[str, Sample]:
    """One sample of each name; raises as _families does."""
    return {sample.name: sample for family in _families(subject) for sample in family.samples}


def _metrics(subject: Subject) -> Server:
    assert subject.metrics is not None
    return subject.metrics
