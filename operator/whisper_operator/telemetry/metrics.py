"""The operator's metrics: the loop's by controller-runtime's names, so that existing dashboards show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from whisper_operator.api.v1alpha1 import Manifest
from whisper_runtime.contract.version import VERSION

CONTROLLER: Final = "whisperservice"
_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_READY_SECONDS = (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)


def _total(name: str, text: str, label: str = "controller") -> Counter:
    return Counter(name, text, (label,)).labels(CONTROLLER)


def _gauge(name: str, text: str, label: str = "controller") -> Gauge:
    return Gauge(name, text, (label,)).labels(CONTROLLER)


def _seconds(name: str, text: str, label: str = "controller") -> Histogram:
    return Histogram(name, text, (label,), buckets=_SECONDS).labels(CONTROLLER)


RECONCILES: Final = Counter("controller_runtime_reconcile_total", "Passes by result.", ("controller", "result"))
RECONCILE_ERRORS: Final = _total("controller_runtime_reconcile_errors_total", "Passes that raised.")
TERMINAL_ERRORS: Final = _total(
    "controller_runtime_terminal_reconcile_errors_total", "Passes that met a spec which only its author can mend."
)
RECONCILE_PANICS: Final = _total("controller_runtime_reconcile_panics_total", "Passes that raised by a bug.")
RECONCILE_TIMEOUTS: Final = _total("controller_runtime_reconcile_timeouts_total", "Passes that took too long.")
RECONCILE_SECONDS: Final = _seconds("controller_runtime_reconcile_time_seconds", "Seconds of a pass.")
WORKERS: Final = _gauge("controller_runtime_max_concurrent_reconciles", "Passes that may run at once.")
ACTIVE_WORKERS: Final = _gauge("controller_runtime_active_workers", "Passes that run now.")
QUEUE_DEPTH: Final = _gauge("workqueue_depth", "Keys that wait.", "name")
QUEUE_ADDS: Final = _total("workqueue_adds_total", "Keys added.", "name")
QUEUE_RETRIES: Final = _total("workqueue_retries_total", "Keys added after a failure.", "name")
QUEUE_SECONDS: Final = _seconds("workqueue_queue_duration_seconds", "Seconds that a key waits.", "name")
WORK_SECONDS: Final = _seconds("workqueue_work_duration_seconds", "Seconds that a key is in work.", "name")
UNFINISHED: Final = _gauge("workqueue_unfinished_work_seconds", "Seconds of work that is under way, summed.", "name")
LONGEST: Final = _gauge("workqueue_longest_running_processor_seconds", "Seconds of the longest work under way.", "name")
LEADER: Final = Gauge("leader_election_master_status", "1 on the replica that leads, 0 on the others.", ("name",))
"""By the Lease's name."""
REQUESTS: Final = Counter("rest_client_requests_total", "Requests to the API server.", ("code", "method"))

BUILD_INFO: Final = Gauge("whisper_operator_build_info", "The operator's version; always 1.", ("version",))
BUILD_INFO.labels(VERSION).set(1)
WATCHES_SILENT: Final = Gauge(
    "whisper_operator_watches_silent_seconds", "Seconds for which the event loop of the watches has not turned."
)
STANDSTILL: Final = Gauge(
    "whisper_operator_queue_standstill_seconds",
    "Seconds for which the key that waits or is in work longest has done so.",
)
ERRORS: Final = Counter("whisper_operator_errors_total", "Passes that failed, by cause.", ("cause",))
READY_SECONDS: Final = Histogram(
    "whisper_operator_ready_seconds", "Seconds from a change of the spec to Ready.", buckets=_READY_SECONDS
)
WAKES: Final = Counter(
    "whisper_operator_wakes_total",
    "Services without a pod of which the operator started one, by cause.",
    ("cause",),
)
SLEEPS: Final = Counter("whisper_operator_sleeps_total", "Services that the operator scaled to zero.")
WAKE_SECONDS: Final = Histogram(
    "whisper_operator_wake_seconds", "Seconds from such a start to a ready pod.", buckets=_READY_SECONDS
)
EVENTS_DROPPED: Final = Counter("whisper_operator_events_dropped_total", "Events that could not be posted.")
MISSED: Final = Counter("whisper_operator_missed_changes_total", "Changes that a resync found and no watch had shown.")


class Services(Collector):
    """Every condition of every service, read at each scrape: none is counted twice, none outlives its service."""

    def __init__(self, services: Callable[[], Iterable[Manifest]]) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        found = GaugeMetricFamily(
            "whisper_operator_service_condition",
            "1 for the status that a condition of a WhisperService has.",
            labels=("namespace", "name", "condition", "status", "reason"),
        )
        for body in self._services():
            metadata: dict[str, Any] = body["metadata"]
            for condition in body.get("status", {}).get("conditions", ()):
                values = (metadata["namespace"], metadata["name"], condition["type"], condition["status"])
                found.add_metric((*values, condition["reason"]), 1)
        yield found


def register(services: Callable[[], Iterable[Manifest]]) -> Collector:
    """Shows the conditions of `services`, which is asked at each scrape, until `unregister`."""
    collector = Services(services)
    REGISTRY.register(collector)
    return collector


def unregister(collector: Collector) -> None:
    REGISTRY.unregister(collector)
