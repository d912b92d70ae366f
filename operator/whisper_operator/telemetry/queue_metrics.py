"""The work queue's metrics, by client-go's names: the queue itself knows nothing of Prometheus."""

from __future__ import annotations

from typing import Protocol

from whisper_operator.telemetry import metrics


class QueueTimes(Protocol):
    """The times of a queue that are asked for whenever Prometheus scrapes."""

    def processing_seconds(self) -> list[float]: ...
    def standstill_seconds(self) -> float: ...


class PrometheusQueueMetrics:
    def added(self) -> None:
        metrics.QUEUE_ADDS.inc()

    def retried(self) -> None:
        metrics.QUEUE_RETRIES.inc()

    def got(self, waited_seconds: float) -> None:
        metrics.QUEUE_SECONDS.observe(waited_seconds)

    def done(self, processed_seconds: float) -> None:
        metrics.WORK_SECONDS.observe(processed_seconds)

    def depth(self, waiting: int) -> None:
        metrics.QUEUE_DEPTH.set(waiting)


def show_times(queue: QueueTimes) -> None:
    """Shows the queue's times from now on, until another queue's are shown."""
    metrics.UNFINISHED.set_function(lambda: sum(queue.processing_seconds()))
    metrics.STANDSTILL.set_function(queue.standstill_seconds)
    metrics.LONGEST.set_function(lambda: max(queue.processing_seconds(), default=0.0))
