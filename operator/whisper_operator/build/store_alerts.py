"""The alerts of a service whose pods share a store."""

from __future__ import annotations

from whisper_operator.build.alert import ERROR_SHARE, FEW, Alert
from whisper_operator.build.series import Series
from whisper_runtime.contract.metric_names import STORE_IN_USE_METRIC, STORE_LATE_METRIC, STORE_SECONDS_METRIC


def store_alerts(series: Series) -> list[Alert]:
    return [_not_used(series), _late(series)]


def _not_used(series: Series) -> Alert:
    return Alert(
        "WhisperStoreNotUsed",
        "warning",
        "5m",  # a store that fails over is found again within seconds
        f"count({series.of(STORE_IN_USE_METRIC)} == 0) > 0",
        "{{ $value | humanize }} pods do without the shared store",
        "Each counts its clients' limits and keeps results for itself; jobs that are in the store wait. The condition"
        " StoreUsable of `kubectl describe wsvc` says why, and what helps.",
    )


def _late(series: Series) -> Alert:
    late = f"sum(increase({series.of(STORE_LATE_METRIC)}[10m]))"
    answered = f"sum(increase({series.of(f'{STORE_SECONDS_METRIC}_count')}[10m]))"
    return Alert(
        "WhisperStoreSlow",
        "warning",
        "10m",
        f"{late} / ({late} + {answered}) > {ERROR_SHARE} and {late} > {FEW}",
        "{{ $value | humanizePercentage }} of the calls of the shared store are too late",
        "A request waits for the store for 50 ms; then its pod counts for itself, and limits are wider than they should"
        " be. The store is overloaded, far away, or short of memory.",
    )
