"""Rows of a service's dashboard about what it may have: kept results, a shared store, a front, jobs, batches."""

from __future__ import annotations

from typing import Final

from hack.generate.dashboards.panels import Graph
from hack.generate.dashboards.queries import gauge, of_front, quantile, rate, rate_of_front
from whisper_runtime.contract import metric_names

ROWS: Final = {
    "Result cache": (
        Graph(
            "Requests by what was known",
            {"{{outcome}}": f"sum by (outcome) ({rate(metric_names.RESULT_CACHE_REQUESTS_METRIC)})"},
            "hit: a kept result. join: a run of the model that was under way. miss: transcribed. Only where"
            " spec.resultCache is set.",
            "reqps",
        ),
        Graph(
            "Saved seconds per second",
            {
                "audio": f"sum({rate(metric_names.RESULT_CACHE_AUDIO_METRIC)})",
                "model": f"sum({rate(metric_names.RESULT_CACHE_MODEL_METRIC)})",
            },
            "Audio that hits and joins did not transcribe, and the time of the model that this would have taken.",
            "s",
        ),
        Graph(
            "Memory of kept results",
            {"{{pod}}": gauge(metric_names.RESULT_CACHE_BYTES_METRIC)},
            "At spec.resultCache.size, what was not asked for the longest makes room.",
            "bytes",
        ),
    ),
    "Shared store": (
        Graph(
            "Pods that use the store, and do without",
            {
                "use it": f"sum({gauge(metric_names.STORE_IN_USE_METRIC)})",
                "do without": f"count({gauge(metric_names.STORE_IN_USE_METRIC)} == 0) or vector(0)",
            },
            "Those that do without count limits and keep results for themselves. Only where spec.redis is set.",
        ),
        Graph(
            "Time of a call",
            {
                "median": quantile(0.5, metric_names.STORE_SECONDS_METRIC),
                "p99": quantile(0.99, metric_names.STORE_SECONDS_METRIC),
            },
            "Of the calls that were answered; after 50 ms a pod counts for itself.",
            "s",
        ),
        Graph(
            "Calls that were late, and failures",
            {
                "late": f"sum({rate(metric_names.STORE_LATE_METRIC)})",
                "failed: {{reason}}": f"sum by (reason) ({rate(metric_names.STORE_FAILURES_METRIC)})",
            },
            "WhisperStoreSlow fires where more than 5 % of the calls are late.",
            "ops",
        ),
    ),
    "Front": (
        Graph(
            "Requests held, and at a pod",
            {
                "held": f"sum({of_front(metric_names.FRONT_HELD_REQUESTS_METRIC)})",
                "at a pod": f"sum({of_front(metric_names.FRONT_ACTIVE_REQUESTS_METRIC)})",
            },
            "Held ones have no pod yet. WhisperRequestsHeld fires where some are held all the time.",
        ),
        Graph(
            "Pods that are ready, as the front sees them",
            {"{{pod}}": of_front(metric_names.FRONT_SERVERS_METRIC)},
            "None while the service sleeps.",
        ),
        Graph(
            "Requests refused by the front",
            {"{{cause}}": f"sum by (cause) ({rate_of_front(metric_names.FRONT_REJECTIONS_METRIC)})"},
            "no_server: none came in time. no_server_can_come: WhisperWakesFailing names the cause.",
            "reqps",
        ),
        Graph(
            "Requests sent to pods, and sent again",
            {
                "sent": f"sum({rate_of_front(metric_names.FRONT_DISPATCH_METRIC)})",
                "again: {{cause}}": f"sum by (cause) ({rate_of_front(metric_names.FRONT_RETRY_METRIC)})",
            },
            "lost: the pod ended with the request. WhisperServersLost fires where that is no chance.",
            "reqps",
        ),
        Graph(
            "Disk of the front",
            {"{{pod}}": of_front(metric_names.FRONT_SPOOL_BYTES_METRIC)},
            "Uploads that wait or are under way. Beyond spec.front.spool they get 503.",
            "bytes",
        ),
    ),
    "Jobs": (
        Graph(
            "Jobs by state",
            {"{{state}}": f"max by (state) ({gauge(metric_names.JOBS_METRIC)})"},
            "Jobs that are kept; those that ended are kept for as long as their result.",
        ),
        Graph(
            "Audio that waits as jobs",
            {"queued": f"max({gauge(metric_names.JOBS_QUEUED_AUDIO_METRIC)})"},
            "Seconds of audio of jobs that no worker has begun with.",
            "s",
        ),
        Graph(
            "Age of the oldest queued job",
            {"oldest": f"max({gauge(metric_names.JOBS_OLDEST_METRIC)})"},
            "Since it was accepted. WhisperJobsWaitTooLong fires beyond 6 h.",
            "s",
        ),
        Graph(
            "Audio of jobs transcribed per second",
            {"audio": f"sum({rate(metric_names.JOB_PROGRESS_METRIC)})"},
            "Seconds of audio in each second, with attempts that came to nothing. Requests go first.",
            "s",
        ),
        Graph(
            "Attempts at jobs, and failures",
            {
                "{{outcome}}": f"sum by (outcome) ({rate(metric_names.JOB_ATTEMPTS_METRIC)})",
                "failed for good: {{cause}}": f"sum by (cause) ({rate(metric_names.JOB_FAILURES_METRIC)})",
                "results expired": f"sum({rate(metric_names.JOBS_EXPIRED_METRIC)})",
            },
            "handed_back: the process had to stop. lease_lost: a process died or hung.",
            "ops",
        ),
        Graph(
            "Store of jobs",
            {
                "used": f"max({gauge(metric_names.JOBS_STORE_BYTES_METRIC)})",
                "limit": f"max({gauge(metric_names.JOBS_STORE_LIMIT_METRIC)})",
            },
            "At its limit new jobs get 507.",
            "bytes",
        ),
    ),
    "Batches and webhooks": (
        Graph(
            "Batches that have not ended",
            {"{{state}}": f"max by (state) ({gauge(metric_names.BATCHES_METRIC)})"},
            "validating: the file is read. finalizing: the answers are written.",
        ),
        Graph(
            "Lines of batches answered",
            {"{{outcome}}": f"sum by (outcome) ({rate(metric_names.BATCH_LINES_METRIC)})"},
            "failed: the line has an error. Each line is a job, too.",
            "ops",
        ),
        Graph(
            "Attempts to deliver events",
            {"{{outcome}}": f"sum by (outcome) ({rate(metric_names.WEBHOOKS_METRIC)})"},
            "failed: another attempt follows. abandoned: none does. WhisperWebhooksFailing fires where most fail.",
            "ops",
        ),
    ),
}
