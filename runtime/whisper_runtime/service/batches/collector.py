"""The metrics of a process's batches, read when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import get_args

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from whisper_runtime.contract import metric_names
from whisper_runtime.service.batches.batch import LIVE_BATCH, BatchState, LineOutcome


class BatchCollector(Collector):
    """The gauge describes the whole store; the counter begins at 0 in each process, and counts what that did."""

    def __init__(self, live: Callable[[], Mapping[BatchState, int]], answered: Mapping[LineOutcome, int]) -> None:
        """`live` is a runner's, `answered` a workplace's; both are read in the thread of the probes."""
        self._live, self._answered = live, answered

    def collect(self) -> Iterator[Metric]:
        batches = GaugeMetricFamily(
            metric_names.BATCHES_METRIC, "Batches that have not ended, by their state.", labels=["state"]
        )
        found = self._live()
        for state in sorted(LIVE_BATCH):
            batches.add_metric([state], found.get(state, 0))
        yield batches
        lines = CounterMetricFamily(
            metric_names.BATCH_LINES_METRIC,
            "Lines of batches that have their answer: a transcription (completed), or an error (failed).",
            labels=["outcome"],
        )
        for outcome in get_args(LineOutcome):
            lines.add_metric([outcome], self._answered.get(outcome, 0))
        yield lines
