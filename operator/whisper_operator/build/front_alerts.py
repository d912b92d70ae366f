"""The alerts of a service with a front. Each pod of the front has its own requests and its own disk."""

from __future__ import annotations

from typing import Final

from whisper_operator.api.spec.front import FrontSpec
from whisper_operator.api.units import canonical_duration, duration_seconds, size_bytes
from whisper_operator.api.v1alpha1 import WhisperService
from whisper_operator.build.alert import FEW, Alert
from whisper_operator.build.series import Series, series_of_front
from whisper_runtime.contract.metric_names import (
    FRONT_HELD_REQUESTS_METRIC,
    FRONT_REJECTIONS_METRIC,
    FRONT_RETRY_METRIC,
    FRONT_SPOOL_BYTES_METRIC,
)

SPOOL_SHARE: Final = 0.85
TIMEOUT_SHARE: Final = 0.5
"""Of `requestTimeout`, for which requests wait before somebody looks; a wake takes less."""


def front_alerts(service: WhisperService, front: FrontSpec) -> list[Alert]:
    series = series_of_front(service)
    return [
        _held(service, series),
        _spool_nearly_full(front, series),
        _wakes_failing(series),
        _wakes_slow(series),
        _servers_lost(series),
    ]


def _held(service: WhisperService, series: Series) -> Alert:
    seconds = max(60, int(duration_seconds(service.spec.server.request_timeout) * TIMEOUT_SHARE))
    return Alert(
        "WhisperRequestsHeld",
        "warning",
        canonical_duration(seconds),
        f"sum({series.of(FRONT_HELD_REQUESTS_METRIC)}) > 0",
        "{{ $value | humanize }} requests wait at the front, and some have all the time",
        "They get 503 once spec.server.requestTimeout is over. No pod serves, or those that do have no room: see why"
        " the first pod does not come, or raise spec.autoscaling.maxReplicas.",
    )


def _spool_nearly_full(front: FrontSpec, series: Series) -> Alert:
    return Alert(
        "WhisperFrontSpoolNearlyFull",
        "warning",
        "2m",
        f"max({series.of(FRONT_SPOOL_BYTES_METRIC)}) > {int(size_bytes(front.spool) * SPOOL_SHARE)}",
        "{{ $value | humanize1024 }}B of a front's disk are in use",
        "When it is full, uploads get 503. Raise spec.front.spool, or have more pods work off what waits.",
    )


def _wakes_failing(series: Series) -> Alert:
    refused = series.of(FRONT_REJECTIONS_METRIC, 'cause=~"no_server|no_server_can_come"')
    return Alert(
        "WhisperWakesFailing",
        "critical",
        "0m",
        f"sum(increase({refused}[10m])) > {FEW}",
        "{{ $value | humanize }} requests of ten minutes were refused, for no pod came",
        "`kubectl describe wsvc` says why: Ready, Awake and the pod's own trouble. Nothing is transcribed meanwhile.",
    )


def _wakes_slow(series: Series) -> Alert:
    refused = series.of(FRONT_REJECTIONS_METRIC, 'cause="no_server_in_time"')
    return Alert(
        "WhisperWakesSlow",
        "warning",
        "0m",
        f"sum(increase({refused}[10m])) > {FEW}",
        "{{ $value | humanize }} requests of ten minutes were refused, for the first pod takes too long",
        "Their time-out is shorter than a wake and what waits before them. Raise spec.server.requestTimeout, make the"
        " start shorter (status.scaleToZero.wakes has its steps), or keep a pod: spec.autoscaling.minReplicas 1.",
    )


def _servers_lost(series: Series) -> Alert:
    lost = series.of(FRONT_RETRY_METRIC, 'cause="lost"')
    return Alert(
        "WhisperServersLost",
        "warning",
        "0m",
        f"sum(increase({lost}[15m])) > {FEW}",
        "{{ $value | humanize }} requests lost their pod within a quarter of an hour",
        "Each was sent to another pod, and cost its time again. Pods crash, run out of memory, or are evicted: their"
        " last state and the node's events say which.",
    )
