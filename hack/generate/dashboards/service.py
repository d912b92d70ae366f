"""The dashboard of one WhisperService, selected by a variable: its health first, then the causes."""

from __future__ import annotations

from typing import Final

from hack.generate.dashboards import service_work
from hack.generate.dashboards.panels import Dashboard, Graph, Stat, TablePanel, Variable
from hack.generate.dashboards.queries import ALERTS, BACKLOG, FAILED, PODS, REFUSED, WINDOW, gauge, quantile, rate
from whisper_runtime.contract import metric_names

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
        **service_work.ROWS,
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
