"""Checks of the port for probes and Prometheus, and the facts that a pod reports there about itself."""

from __future__ import annotations

from typing import Any, Final

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from whisper_runtime.contract.metric_names import (
    BFLOAT16_SPEED_METRIC,
    DEVICE_MEMORY_METRIC,
    EGRESS_METRIC,
    MODEL_INFO_METRIC,
    MODEL_LOAD_METRIC,
    REQUESTS_METRIC,
    USER_METRIC,
)
from whisper_runtime.contract.network import HEALTH_PATH, METRICS_PATH, READY_PATH
from whisper_runtime.verify.checks import CheckFailed, CheckFunction, VerifyTarget, expect_status
from whisper_runtime.verify.client import NoResponse, ServiceClient


def is_healthy(target: VerifyTarget) -> str:
    return f"healthy, serves {expect_status(_metrics(target).get(HEALTH_PATH), 200).json['model']}"


def is_ready(target: VerifyTarget) -> str:
    expect_status(_metrics(target).get(READY_PATH), 200)
    return "ready"


def has_metrics(target: VerifyTarget) -> str:
    names = {family.name for family in _families(target)}
    if REQUESTS_METRIC.removesuffix("_total") not in names:
        raise CheckFailed(f"{REQUESTS_METRIC} is not among the metrics")
    return f"{len(names)} metrics"


def is_not_root(target: VerifyTarget) -> str:
    user = _value(target, USER_METRIC)
    if not user:
        raise CheckFailed("the server runs as root: have the pod run as another user (runAsNonRoot)")
    return f"runs as user {user:.0f}"


def egress_blocked(target: VerifyTarget) -> str:
    if _value(target, EGRESS_METRIC):
        raise CheckFailed(
            "a pod reached the Kubernetes API, which spec.networkPolicy does not allow: the cluster's network "
            "enforces no NetworkPolicy; use a network plugin that does (such as Cilium or Calico), or remove "
            "spec.networkPolicy"
        )
    return "a pod could not reach the Kubernetes API"


def _value(target: VerifyTarget, name: str) -> float:
    """Returns the value of the metric's only sample; raises CheckFailed where there is none."""
    found = _samples(target).get(name)
    if found is None:
        raise CheckFailed(f"{name} is not among the metrics")
    return found.value


CHECKS: Final[tuple[tuple[str, CheckFunction], ...]] = (
    ("health", is_healthy),
    ("ready", is_ready),
    ("metrics", has_metrics),
    ("not-root", is_not_root),
)
NO_EGRESS: Final[tuple[tuple[str, CheckFunction], ...]] = (("no-way-out", egress_blocked),)
"""For pods that may reach nothing but DNS."""


def pod_facts(target: VerifyTarget) -> dict[str, Any]:
    """Returns a pod's start, device, memory and precision as fields of Performance, without what it does not report.

    Another check says whether the metrics answer.
    """
    try:
        samples = _samples(target)
    except (NoResponse, ValueError, CheckFailed):
        return {}
    values = {name: sample.value for name, sample in samples.items()}
    info = samples[MODEL_INFO_METRIC].labels if MODEL_INFO_METRIC in samples else {}
    bfloat16 = samples.get(BFLOAT16_SPEED_METRIC)
    found = {
        "load_seconds": round(values.get(MODEL_LOAD_METRIC, 0.0), 2),
        "device": info.get("device"),
        "compute_type": info.get("compute_type"),
        "memory_bytes": int(values.get(DEVICE_MEMORY_METRIC, 0.0)),
        "processor": bfloat16.labels["processor"] if bfloat16 else None,
        "bfloat16_speed": round(bfloat16.value, 2) if bfloat16 else None,
    }
    return {field: value for field, value in found.items() if value}


def _families(target: VerifyTarget) -> list[Metric]:
    """Raises CheckFailed or NoResponse where the server gives no metrics, ValueError where they cannot be read."""
    return list(text_string_to_metric_families(expect_status(_metrics(target).get(METRICS_PATH), 200).text))


def _samples(target: VerifyTarget) -> dict[str, Sample]:
    """Returns one sample of each name; raises as _families does."""
    return {sample.name: sample for family in _families(target) for sample in family.samples}


def _metrics(target: VerifyTarget) -> ServiceClient:
    assert target.metrics is not None
    return target.metrics
