"""The operator's metrics, by controller-runtime's names, so that existing dashboards show them."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

CONTROLLER: Final = "whisperservice"
_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

RECONCILES: Final = Counter("controller_runtime_reconcile_total", "Passes by result.", ("controller", "result"))
RECONCILE_ERRORS: Final = Counter(
    "controller_runtime_reconcile_errors_total", "Passes that raised.", ("controller",)
).labels(CONTROLLER)
RECONCILE_SECONDS: Final = Histogram(
    "controller_runtime_reconcile_time_seconds", "Seconds of a pass.", ("controller",), buckets=_SECONDS
).labels(CONTROLLER)
WORKERS: Final = Gauge(
    "controller_runtime_max_concurrent_reconciles", "Passes that may run at once.", ("controller",)
).labels(CONTROLLER)
QUEUE_DEPTH: Final = Gauge("workqueue_depth", "Keys that wait.", ("name",)).labels(CONTROLLER)
QUEUE_ADDS: Final = Counter("workqueue_adds_total", "Keys added.", ("name",)).labels(CONTROLLER)
QUEUE_RETRIES: Final = Counter("workqueue_retries_total", "Keys added after a failure.", ("name",)).labels(CONTROLLER)
QUEUE_SECONDS: Final = Histogram(
    "workqueue_queue_duration_seconds", "Seconds that a key waits.", ("name",), buckets=_SECONDS
).labels(CONTROLLER)
LEADER: Final = Gauge("leader_election_master_status", "1 on the replica that leads.", ("name",))
"""By the Lease's name."""
REQUESTS: Final = Counter("rest_client_requests_total", "Requests to the API server.", ("code", "method"))
