"""All metrics of a process that serves a model; one registry for each, so that tests never share counts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from whisper_runtime.metrics.engine import EngineMetrics
from whisper_runtime.metrics.process import ProcessMetrics
from whisper_runtime.metrics.requests import RequestMetrics


class Metrics:
    """What Prometheus scrapes of one process."""

    def __init__(self, model: str) -> None:
        """`model` is the label of the one model that the process serves."""
        self.registry = CollectorRegistry()
        self.requests = RequestMetrics(self.registry, model)
        self.engine = EngineMetrics(self.registry)
        self.process = ProcessMetrics(self.registry, model)
