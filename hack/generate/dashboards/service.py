"""The dashboard of one WhisperService, selected by a variable: its health first, then the causes."""

from __future__ import annotations

from typing import Final

from hack.generate.dashboards.panels import Dashboard, Graph, Stat, TablePanel, Variable
from whisper_runtime.contract import metric_names

SERIES: Final = 'namespace="$namespace",service="${service}-metrics"'
FRONT: Final = 'namespace="$namespace",service="${service}-front-metrics"'
PODS: Final = 'namespace="$namespace",pod=~"${service}-[a-z0-9]+-[a-z0-9]{5}",container="server"'
ALERTS: Final = 'ALERTS{alertstate="firing",namespace="$namespace",whisperservice="$service"}'
WINDOW: Final = "[$__rate_interval]"


def rate(metric: str, matchers: str = "") -> str:
    return f"rate({metric}{{{SERIES}{matchers}}}{WINDOW})"


def share(statuses: str, of: str) -> str:
    """Query of the share of requests with `statuses` among those with `of`; 0 while there are none."""
    some, all_ = (f"sum({rate(metric_names.REQUESTS_METRIC, f',{matchers}')})" for matchers in (statuses, of))
    return f"({some} or vector(0)) / {all_}"


def quantile(of: float, metric: str) -> str:
    return f"histogram_quantile({of}, sum by (le) ({rate(f'{metric}_bucket')}))"


def gauge(metric: str) -> str:
    return f"{metric}{{{SERIES}}}"


def of_front(metric: str) -> str:
    return f"{metric}{{{FRONT}}}"


def rate_of_front(metric: str) -> str:
    return f"rate({of_front(metric)}{WINDOW})"


FAILED: Final = share('status=~"5..",status!="503"', 'status=~"2..|5.."')
REFUSED: Final = share('status=~"429|503"', 'status=~"2..|429|5.."')
BACKLOG: Final = f"{gauge(metric_names.QUEUED_AUDIO_METRIC)} / {gauge(metric_names.REALTIME_FACTOR_METRIC)}"

DASHBOARD: Final = Dashboard(
    "whisper-service",
    "Whisper / service",
    (
        Variable("namespace", "Namespace", f"label_values({metric_names.READY_METRIC}, namespace)"),
        Variable(
            "service",
            "WhisperService",
            f'label_values({metric_names.READY_METRIC}{{namespace="$namespace"}}, service)',
            "/^(.*)-metrics$/",
        ),
    ),
    {
        "Health": (
            Stat(
                "Alerts firing",
                f"count({ALERTS}) or vector(0)",
                "Each alert has a page in docs/runbooks.",
                {1: "red"},
            ),
            Stat(
                "Pods not ready",
                f"count({gauge(metric_names.READY_METRIC)} == 0) or vector(0)",
                "Pods that load, drain or hang.",
                {1: "orange"},
            ),
            Stat(
                "Requests failing",
                FAILED,
                "Share of server errors except 503 among valid requests. WhisperRequestsFailing fires beyond 5 %.",
                {0.01: "orange", 0.05: "red"},
                "percentunit",
            ),
            Stat(
                "Requests refused",
                REFUSED,
                "Share of 429 and 503 among valid requests. WhisperRequestsRefused fires beyond 5 %.",
                {0.01: "orange", 0.05: "red"},
                "percentunit",
            ),
            Stat(
                "Response time, p95",
                quantile(0.95, metric_names.TRANSCRIPTION_SECONDS_METRIC),
                "Seconds from a request's last byte to its text, 95th percentile. The red line is at 80 % of"
                " requestTimeout's default.",
                {60: "orange", 240: "red"},
                "s",
            ),
            Stat(
                "Longest backlog",
                f"max({BACKLOG})",
                "Seconds that the busiest pod needs to process its queue. The red line is at 80 % of"
                " requestTimeout's default.",
                {60: "orange", 240: "red"},
                "s",
            ),
        ),
        "Requests": (
            Graph(
                "Requests by status",
                {"{{status}}": f"sum by (status) ({rate(metric_names.REQUESTS_METRIC)})"},
                "429: queues are full. 503: pods start or stop. 504: past the deadline. 500: a fault; see the log.",
                "reqps",
            ),
            Graph(
                "Response time",
                {
                    "median": quantile(0.5, metric_names.TRANSCRIPTION_SECONDS_METRIC),
                    "p95": quantile(0.95, metric_names.TRANSCRIPTION_SECONDS_METRIC),
                    "p99": quantile(0.99, metric_names.TRANSCRIPTION_SECONDS_METRIC),
                },
                "From a request's last byte to its text; successful requests only.",
                "s",
            ),
            Graph(
                "Time to the first text",
                {
                    "median": quantile(0.5, metric_names.FIRST_TEXT_METRIC),
                    "p95": quantile(0.95, metric_names.FIRST_TEXT_METRIC),
                },
                "From a request's last byte to the first of its segments, which a stream sends at once.",
                "s",
            ),
            Graph(
                "In flight",
                {
                    "requests": f"sum({gauge(metric_names.REQUESTS_IN_FLIGHT_METRIC)})",
                    "rows": f"sum({gauge(metric_names.ROWS_IN_FLIGHT_METRIC)})",
                },
                "Requests that are not answered yet, and windows that are decoded now. Many requests on few rows"
                " upload, are converted by ffmpeg, or wait.",
            ),
            Graph(
                "Requests by route",
                {"{{route}}": f"sum by (route) ({rate(metric_names.REQUESTS_METRIC)})"},
                "`none`: refused before routing, for example by authentication.",
                "reqps",
            ),
        ),
        "Capacity": (
            Graph(
                "Pods",
                {
                    "ready": f"sum({gauge(metric_names.READY_METRIC)})",
                    "scraped": f"count({gauge(metric_names.READY_METRIC)})",
                    "wanted": 'kube_deployment_spec_replicas{namespace="$namespace",deployment="$service"}',
                },
                "Wanted by the spec or its autoscaler.",
            ),
            Graph(
                "Queued audio",
                {"{{pod}}": gauge(metric_names.QUEUED_AUDIO_METRIC)},
                "Seconds of audio in each pod's queue; beyond maxQueuedAudio clients get 429.",
                "s",
            ),
            Graph(
                "Time to process the queue",
                {"{{pod}}": BACKLOG},
                "Queued audio divided by the pod's measured speed. Near requestTimeout, requests miss their deadlines.",
                "s",
            ),
            Graph(
                "Speed",
                {"{{pod}}": gauge(metric_names.REALTIME_FACTOR_METRIC)},
                "Seconds of audio that a pod transcribes in a second, measured over its last windows.",
            ),
        ),
        "Audio": (
            Graph(
                "Audio transcribed per second",
                {"audio": f"sum({rate(f'{metric_names.AUDIO_SECONDS_METRIC}_sum')})"},
                "Throughput: seconds of audio transcribed successfully in each second.",
                "s",
            ),
            Graph(
                "Length of the recordings",
                {
                    "median": quantile(0.5, metric_names.AUDIO_SECONDS_METRIC),
                    "p95": quantile(0.95, metric_names.AUDIO_SECONDS_METRIC),
                },
                "Long recordings cause long waits.",
                "s",
            ),
            Graph(
                "Audio by client",
                {"{{client}}": f"topk(20, sum by (client) ({rate(metric_names.CLIENT_AUDIO_METRIC)}))"},
                "Seconds of audio transcribed in each second, by the name of the client's API key.",
                "s",
            ),
            Graph(
                "Transcriptions by language",
                {"{{language}}": f"sum by (language) ({rate(metric_names.TRANSCRIPTIONS_METRIC)})"},
                "Requested or detected. An unexpected language is often silence or noise.",
                "reqps",
            ),
        ),
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
        "Pods": (
            TablePanel(
                "Models",
                gauge(metric_names.MODEL_INFO_METRIC),
                "Model of each pod. Two models are normal only during a rollout.",
                ("pod", "model", "digest"),
            ),
            Graph(
                "Start-up time",
                {"{{pod}}": gauge(metric_names.MODEL_LOAD_METRIC)},
                "From start to ready. A slow volume shows here; new pods then help late.",
                "s",
            ),
            Graph(
                "Memory",
                {
                    "{{pod}}": f"container_memory_working_set_bytes{{{PODS}}}",
                    "limit": f'max(kube_pod_container_resource_limits{{{PODS},resource="memory"}})',
                },
                "A container at its limit is killed.",
                "bytes",
            ),
            Graph(
                "Processors",
                {"{{pod}}": f"rate(container_cpu_usage_seconds_total{{{PODS}}}{WINDOW})"},
                "Processors in use.",
            ),
            Graph(
                "Restarts",
                {"{{pod}}": f"increase(kube_pod_container_status_restarts_total{{{PODS}}}[1h])"},
                "Within an hour. Each restart loses the requests in progress.",
            ),
        ),
    },
    ALERTS,
)
