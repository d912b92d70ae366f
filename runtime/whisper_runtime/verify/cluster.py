"""Whether the port for probes and Prometheus answers as the cluster expects."""

from __future__ import annotations

from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from whisper_runtime.contract import HEALTH_PATH, METRICS_PATH, READY_PATH, REQUESTS_METRIC
from whisper_runtime.verify.checks import Examine, Subject, Wrong, wanted
from whisper_runtime.verify.server import Server


def is_healthy(subject: Subject) -> str:
    return f"healthy, serves {wanted(_metrics(subject).get(HEALTH_PATH), 200).json['model']}"


def is_ready(subject: Subject) -> str:
    wanted(_metrics(subject).get(READY_PATH), 200)
    return "ready"


def counts(subject: Subject) -> str:
    text = wanted(_metrics(subject).get(METRICS_PATH), 200).text
    names = {family.name for family in text_string_to_metric_families(text)}
    if REQUESTS_METRIC.removesuffix("_total") not in names:
        raise Wrong(f"{REQUESTS_METRIC} is not among the metrics")
    return f"{len(names)} metrics"


CHECKS: Final[tuple[tuple[str, Examine], ...]] = (("health", is_healthy), ("ready", is_ready), ("metrics", counts))


def _metrics(subject: Subject) -> Server:
    assert subject.metrics is not None
    return subject.metrics
