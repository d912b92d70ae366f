"""The metrics of a process's jobs, read from the last statistics of its store when Prometheus asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import get_args

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from whisper_runtime.contract import metric_names
from whisper_runtime.service.jobs.job import AttemptOutcome, JobState, JobStatistics, JobTally


class JobCollector(Collector):
    """Gauges describe the whole store; counters begin at 0 in each process, and count what that did."""

    def __init__(
        self, statistics: Callable[[], JobStatistics], progress_seconds: Callable[[], float], limit_bytes: int
    ) -> None:
        """`statistics` and `progress_seconds` are a worker's; both are called in the thread of the probes."""
        self._statistics, self._progress_seconds, self._limit_bytes = statistics, progress_seconds, limit_bytes

    def collect(self) -> Iterator[Metric]:
        found = self._statistics()
        yield from _gauges(found, self._limit_bytes)
        yield from _counters(found.tally, self._progress_seconds())


def _gauges(found: JobStatistics, limit_bytes: int) -> Iterator[Metric]:
    jobs = GaugeMetricFamily(metric_names.JOBS_METRIC, "Jobs that are kept, by their state.", labels=["state"])
    for state in get_args(JobState):
        jobs.add_metric([state], found.jobs.get(state, 0))
    yield jobs
    oldest = age(found.oldest_created, time.time())
    for name, text, value in (
        (
            metric_names.JOBS_QUEUED_AUDIO_METRIC,
            "Seconds of audio of jobs that no worker has begun with.",
            found.queued_audio_seconds,
        ),
        (metric_names.JOBS_OLDEST_METRIC, "Seconds since the oldest job that is queued was accepted.", oldest),
        (
            metric_names.JOBS_STORE_BYTES_METRIC,
            "Bytes that jobs take of their store, with the room that is kept for results.",
            found.used_bytes,
        ),
        (
            metric_names.JOBS_STORE_LIMIT_METRIC,
            "Bytes that jobs may take of their store; beyond it new ones get 507.",
            limit_bytes,
        ),
    ):
        yield GaugeMetricFamily(name, text, value)


def _counters(tally: JobTally, progress_seconds: float) -> Iterator[Metric]:
    attempts: Mapping[str, int] = {outcome: tally.attempts.get(outcome, 0) for outcome in get_args(AttemptOutcome)}
    for name, text, label, values in (
        (
            metric_names.JOB_ATTEMPTS_METRIC,
            "Attempts at jobs that ended, by how; none of jobs that were cancelled.",
            "outcome",
            attempts,
        ),
        (metric_names.JOB_FAILURES_METRIC, "Jobs that failed for good, by the error's code.", "cause", tally.failures),
    ):
        family = CounterMetricFamily(name, text, labels=[label])
        for of, number in values.items():
            family.add_metric([of], number)
        yield family
    for name, text, value in (
        (
            metric_names.JOB_PROGRESS_METRIC,
            "Seconds of audio by which jobs went on, those of attempts that came to nothing among them.",
            progress_seconds,
        ),
        (metric_names.JOBS_EXPIRED_METRIC, "Results of jobs that were deleted for their age.", tally.expired),
    ):
        yield CounterMetricFamily(name, text, value)


def age(created: float | None, now: float) -> float:
    """Seconds since that Unix time; None: 0."""
    return 0.0 if created is None else max(0.0, now - created)
