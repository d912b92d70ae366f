"""The metrics of a process that shares a store."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from whisper_runtime.contract.metric_names import (
    STORE_FAILURES_METRIC,
    STORE_IN_USE_METRIC,
    STORE_LATE_METRIC,
    STORE_SECONDS_METRIC,
)
from whisper_runtime.contract.shared_store import SharedStoreReport

BUCKETS: Final = (0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05)
"""Seconds; no call takes longer."""


class StoreMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._in_use = Gauge(
            STORE_IN_USE_METRIC,
            "1 while the pod counts in the store that it shares with the others, 0 while it counts for itself.",
            registry=registry,
        )
        self._failures = Counter(
            STORE_FAILURES_METRIC,
            "Changes from counting in the shared store to counting alone, and attempts to change back that failed.",
            ["reason"],
            registry=registry,
        )
        self._late = Counter(
            STORE_LATE_METRIC,
            "Calls that the shared store did not answer in time: the pod counted alone for them.",
            registry=registry,
        )
        self._seconds = Histogram(
            STORE_SECONDS_METRIC,
            "Time that one call of the shared store took, of those that it answered.",
            buckets=BUCKETS,
            registry=registry,
        )

    def reported(self, report: SharedStoreReport) -> None:
        self._in_use.set(report.is_used)
        if not report.is_used:
            self._failures.labels(report.reason).inc()

    def late(self) -> None:
        self._late.inc()

    def answered(self, seconds: float) -> None:
        self._seconds.observe(seconds)
