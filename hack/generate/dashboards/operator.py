"""The dashboard of the operator: leadership, throughput, and the services that need attention."""

from __future__ import annotations

from typing import Final

from hack.generate.dashboards.panels import Dashboard, Graph, Stat, TablePanel, Variable

JOB: Final = 'job="$job"'
ALERTS: Final = 'ALERTS{alertstate="firing",alertname=~"WhisperOperator.*|WhisperService(Stalled|NotReady|Impaired)"}'
WINDOW: Final = "[$__rate_interval]"


def rate(metric: str) -> str:
    return f"rate({metric}{{{JOB}}}{WINDOW})"


def quantile(of: float, metric: str) -> str:
    return f"histogram_quantile({of}, sum by (le) ({rate(f'{metric}_bucket')}))"


def services(matchers: str, *labels: str) -> str:
    """Query of the conditions that match; each replica of the operator exports all, so `max` counts each once."""
    by = ", ".join(("namespace", "name", *labels))
    return f"max by ({by}) (whisper_operator_service_condition{{{JOB},{matchers}}})"


READY: Final = 'condition="Ready"'
NOT_READY: Final = 'condition="Ready",status!="True"'
STALLED: Final = 'condition="Stalled",status="True"'
IMPAIRED: Final = (
    'condition=~"AcceleratorInUse|AutoscalingActive|CacheAsSpecified|Exposed|JobStorageAsSpecified|Monitored",'
    'status="False"'
)

DASHBOARD: Final = Dashboard(
    "whisper-operator",
    "Whisper / operator",
    (Variable("job", "Operator", 'label_values(leader_election_master_status{name="whisper-operator"}, job)'),),
    {
        "Health": (
            Stat(
                "Alerts firing",
                f"count({ALERTS}) or vector(0)",
                "Each alert has a page in docs/runbooks.",
                {1: "red"},
            ),
            Stat(
                "Leading replicas",
                f"sum(leader_election_master_status{{{JOB}}}) or vector(0)",
                "Must be 1: without a leader, nothing is reconciled.",
                {1: "green", 2: "red"},
                below="red",
            ),
            Stat(
                "Services not Ready",
                f"count({services(NOT_READY)}) or vector(0)",
                "Includes services that are becoming Ready.",
                {1: "orange"},
            ),
            Stat(
                "Services stalled",
                f"count({services(STALLED)}) or vector(0)",
                "Their users must change something; the condition Stalled has the remedy.",
                {1: "red"},
            ),
            Stat(
                "Passes failing",
                f"sum({rate('controller_runtime_reconcile_errors_total')}) / "
                f"sum({rate('controller_runtime_reconcile_total')})",
                "Each failed pass is retried.",
                {0.01: "orange", 0.1: "red"},
                "percentunit",
            ),
            Stat(
                "Longest wait",
                f"max(whisper_operator_queue_standstill_seconds{{{JOB}}})",
                "Seconds that a service waits for its pass, or that its pass takes. The operator restarts beyond 180.",
                {10: "orange", 60: "red"},
                "s",
            ),
        ),
        "Services": (
            TablePanel(
                "Not Ready",
                services(NOT_READY, "reason"),
                "`kubectl describe wsvc` has the cause and the remedy.",
                ("namespace", "name", "reason"),
            ),
            TablePanel(
                "Impaired",
                services(IMPAIRED, "condition", "reason"),
                "They serve, but a part of the spec has no effect.",
                ("namespace", "name", "condition", "reason"),
            ),
            Graph(
                "Services by reason",
                {"{{reason}}": f"count by (reason) ({services(READY, 'reason')})"},
                "Reasons of the condition Ready.",
            ),
            Graph(
                "From a change to Ready",
                {
                    "median": quantile(0.5, "whisper_operator_ready_seconds"),
                    "p95": quantile(0.95, "whisper_operator_ready_seconds"),
                },
                "Includes download, rollout and verification.",
                "s",
            ),
        ),
        "Passes": (
            Graph(
                "Passes by result",
                {"{{result}}": f"sum by (result) ({rate('controller_runtime_reconcile_total')})"},
                "Close to zero while nothing changes.",
                "ops",
            ),
            Graph(
                "Failures by cause",
                {
                    "{{cause}}": f"sum by (cause) ({rate('whisper_operator_errors_total')})",
                    "bugs": f"sum({rate('controller_runtime_reconcile_panics_total')})",
                    "invalid specs": f"sum({rate('controller_runtime_terminal_reconcile_errors_total')})",
                },
                "The causes are the API server's reasons, Timeout, or an exception's name.",
                "ops",
            ),
            Graph(
                "Duration of a pass",
                {
                    "median": quantile(0.5, "controller_runtime_reconcile_time_seconds"),
                    "p99": quantile(0.99, "controller_runtime_reconcile_time_seconds"),
                },
                "A pass is cancelled after 60 seconds.",
                "s",
            ),
            Graph(
                "Workers",
                {
                    "busy": f"sum(controller_runtime_active_workers{{{JOB}}})",
                    "all": f"max(controller_runtime_max_concurrent_reconciles{{{JOB}}})",
                },
                "If all are busy for long, raise the chart's value `workers`.",
            ),
        ),
        "Queue and watches": (
            Graph(
                "Queue length",
                {"{{pod}}": f"workqueue_depth{{{JOB}}}"},
                "A standby processes its queue once it leads.",
            ),
            Graph(
                "Waiting time in the queue",
                {
                    "median": quantile(0.5, "workqueue_queue_duration_seconds"),
                    "p99": quantile(0.99, "workqueue_queue_duration_seconds"),
                },
                "From a change to the start of its pass.",
                "s",
            ),
            Graph(
                "Time without progress",
                {
                    "queue of {{pod}}": f"whisper_operator_queue_standstill_seconds{{{JOB}}}",
                    "watches of {{pod}}": f"whisper_operator_watches_silent_seconds{{{JOB}}}",
                },
                "/healthz fails beyond 180 seconds.",
                "s",
            ),
            Graph(
                "Missed, dropped and retried",
                {
                    "changes missed": f"sum(increase(whisper_operator_missed_changes_total{{{JOB}}}[1h]))",
                    "Events dropped": f"sum(increase(whisper_operator_events_dropped_total{{{JOB}}}[1h]))",
                    "keys retried": f"sum(increase(workqueue_retries_total{{{JOB}}}[1h]))",
                },
                "Within an hour. The resync repairs missed changes.",
            ),
        ),
        "API server and process": (
            Graph(
                "Requests",
                {"{{method}} {{code}}": f"sum by (method, code) ({rate('rest_client_requests_total')})"},
                "Without watches. While nothing changes, only the Lease is written.",
                "reqps",
            ),
            Graph(
                "Memory",
                {"{{pod}}": f"process_resident_memory_bytes{{{JOB}}}"},
                "Grows with the number of services; the chart's limit is 512 MiB.",
                "bytes",
            ),
            Graph("Processors", {"{{pod}}": rate("process_cpu_seconds_total")}, "Processors in use."),
            TablePanel(
                "Replicas",
                f"max by (pod, version) (whisper_operator_build_info{{{JOB}}})",
                "Two versions are normal only during an upgrade.",
                ("pod", "version"),
            ),
        ),
    },
    ALERTS,
)
