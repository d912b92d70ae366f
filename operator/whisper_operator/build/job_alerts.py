"""The alerts of a service that keeps jobs. Gauges are of the store, which both pods of a rollout have: hence max."""

from __future__ import annotations

from typing import Final

from whisper_operator.build.alert import ERROR_SHARE, FEW, Alert
from whisper_operator.build.series import Series
from whisper_runtime.contract.metric_names import (
    JOB_ATTEMPTS_METRIC,
    JOB_PROGRESS_METRIC,
    JOBS_METRIC,
    JOBS_OLDEST_METRIC,
    JOBS_STORE_BYTES_METRIC,
    JOBS_STORE_LIMIT_METRIC,
    WEBHOOKS_METRIC,
)

OLDEST_SECONDS: Final = 6 * 3600
"""A quarter of the 24 h that clients of batches are promised."""
STORE_SHARE: Final = 0.85
MOST: Final = 0.5
"""One receiver that is away is its client's affair, as long as other events arrive."""


def job_alerts(series: Series) -> list[Alert]:
    return [_wait_too_long(series), _stuck(series), _failing(series), _store_nearly_full(series), _webhooks(series)]


def _wait_too_long(series: Series) -> Alert:
    return Alert(
        "WhisperJobsWaitTooLong",
        "warning",
        "10m",
        f"max({series.of(JOBS_OLDEST_METRIC)}) > {OLDEST_SECONDS}",
        "the oldest job that is queued has waited for {{ $value | humanizeDuration }}",
        "More audio comes as jobs than the pod transcribes. Give the service a GPU or a smaller model, or bound what"
        " one client may queue by spec.jobs.maxQueuedAudioPerClient.",
    )


def _stuck(series: Series) -> Alert:
    live = series.of(JOBS_METRIC, 'state=~"queued|in_progress"')
    moves = [f"sum(increase({series.of(metric)}[15m]))" for metric in (JOB_PROGRESS_METRIC, JOB_ATTEMPTS_METRIC)]
    return Alert(
        "WhisperJobsStuck",
        "critical",
        "15m",
        f"max({live}) > 0 and {moves[0]} == 0 and {moves[1]} == 0",
        "jobs wait, and none has gone on for a quarter of an hour",
        "The store cannot be read, or the model hangs: the server's log says which. Jobs are kept meanwhile.",
    )


def _failing(series: Series) -> Alert:
    failed = series.of(JOB_ATTEMPTS_METRIC, 'outcome=~"failed|lease_lost"')
    ended = series.of(JOB_ATTEMPTS_METRIC, 'outcome!="handed_back"')
    return Alert(
        "WhisperJobsFailing",
        "warning",
        "5m",
        f"sum(increase({failed}[1h])) / sum(increase({ended}[1h])) > {ERROR_SHARE}"
        f" and sum(increase({failed}[1h])) > {FEW}",
        "{{ $value | humanizePercentage }} of the attempts at jobs fail",
        "A job fails for good after three attempts. whisper_job_failures_total has the causes by code, the log each"
        " job's id.",
    )


def _webhooks(series: Series) -> Alert:
    failed = series.of(WEBHOOKS_METRIC, 'outcome!="delivered"')
    share = f"sum(increase({failed}[1h])) / sum(increase({series.of(WEBHOOKS_METRIC)}[1h]))"
    return Alert(
        "WhisperWebhooksFailing",
        "warning",
        "15m",
        f"{share} > {MOST} and sum(increase({failed}[1h])) > {FEW}",
        "{{ $value | humanizePercentage }} of the attempts to deliver events fail",
        "An event is sent nine times within a day, and then given up. The log has each event's id with the cause, and"
        " so has the job's `webhook.last_error`.",
    )


def _store_nearly_full(series: Series) -> Alert:
    used, limit = series.of(JOBS_STORE_BYTES_METRIC), series.of(JOBS_STORE_LIMIT_METRIC)
    return Alert(
        "WhisperJobStoreNearlyFull",
        "warning",
        "15m",
        f"max({used} / {limit}) > {STORE_SHARE}",
        "{{ $value | humanizePercentage }} of the store of jobs is in use",
        "When it is full, new jobs get 507. Raise spec.jobs.storage.size, or lower spec.jobs.resultTTL.",
    )
