"""The metrics of one front; it has none of the servers' names, so that nothing is counted twice."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge

from whisper_runtime.contract.metric_names import (
    FRONT_ACTIVE_REQUESTS_METRIC,
    FRONT_DISPATCH_METRIC,
    FRONT_HELD_AUDIO_METRIC,
    FRONT_HELD_BYTES_METRIC,
    FRONT_HELD_REQUESTS_METRIC,
    FRONT_HELD_WAIT_METRIC,
    FRONT_JOBS_METRIC,
    FRONT_QUEUED_AUDIO_METRIC,
    FRONT_REJECTIONS_METRIC,
    FRONT_REQUESTS_METRIC,
    FRONT_RETRY_METRIC,
    FRONT_SERVERS_METRIC,
    FRONT_SPOOL_BYTES_METRIC,
)
from whisper_runtime.errors import REJECTED
from whisper_runtime.front.demand import DemandCounter
from whisper_runtime.front.turnstile import Turnstile

RetryCause = Literal["lost", "refused", "unreached"]


class FrontMetrics:
    def __init__(
        self,
        demand: DemandCounter,
        spool_bytes: Callable[[], float],
        turnstile: Turnstile,
        held_wait: Callable[[], float],
    ) -> None:
        """The gauges are read when Prometheus asks, from the thread of the probes; `spool_bytes`: of disk in use.

        `held_wait`: seconds for which the audio that waits here keeps one server busy.
        """
        self.registry = CollectorRegistry()
        for name, text, value in (
            (FRONT_HELD_REQUESTS_METRIC, "Requests that no server has.", lambda: demand.held_requests),
            (FRONT_HELD_BYTES_METRIC, "Bytes of their bodies.", lambda: demand.held_bytes),
            (FRONT_ACTIVE_REQUESTS_METRIC, "Requests that a server works on.", lambda: demand.active_requests),
            (FRONT_SPOOL_BYTES_METRIC, "Disk reserved for bodies.", spool_bytes),
            (FRONT_SERVERS_METRIC, "Servers that are ready.", lambda: turnstile.ready_servers),
            (FRONT_QUEUED_AUDIO_METRIC, "Audio that waits at those servers.", lambda: turnstile.queued_at_servers),
            (FRONT_HELD_AUDIO_METRIC, "Audio that waits here, by the size of uploads.", lambda: turnstile.held_audio),
            (
                FRONT_HELD_WAIT_METRIC,
                "Seconds for which that audio keeps one server busy; 0 where nobody knows how fast one is.",
                held_wait,
            ),
        ):
            Gauge(name, text, registry=self.registry).set_function(value)
        self._dispatches = Counter(
            FRONT_DISPATCH_METRIC, "Requests sent to a server, each time anew.", registry=self.registry
        )
        self._retries = Counter(
            FRONT_RETRY_METRIC,
            "Requests that go on to another server: theirs could not be reached, was lost, or refused them.",
            ["cause"],
            registry=self.registry,
        )
        self._jobs = Counter(FRONT_JOBS_METRIC, "Jobs taken here while no server was ready.", registry=self.registry)
        self._requests = Counter(
            FRONT_REQUESTS_METRIC,
            "Requests by the status of their answer.",
            ["status"],
            registry=self.registry,
        )
        self._rejections = Counter(
            FRONT_REJECTIONS_METRIC,
            "Requests that were turned away, by a server or here, by the error's code.",
            ["cause"],
            registry=self.registry,
        )

    def dispatched(self) -> None:
        self._dispatches.inc()

    def retried(self, cause: RetryCause) -> None:
        self._retries.labels(cause).inc()

    def took_job(self) -> None:
        self._jobs.inc()

    @contextmanager
    def in_flight(self, *, is_counted: bool) -> Generator[None]:
        """Counts nothing: DemandCounter knows which requests are here, and what they wait for."""
        yield

    def answered(self, route: str, status: int, cause: str | None) -> None:
        """Counts a request by its status; `cause`: the code of its error, if it has one. The servers know its route."""
        self._requests.labels(str(status)).inc()
        if status in REJECTED:
            self._rejections.labels(cause or str(status)).inc()
