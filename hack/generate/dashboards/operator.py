"""The dashboard of the operator: whether it leads and keeps up, and which services want a look."""

from __future__ import annotations

from typing import Final

from hack.generate.dashboards.panels import Dashboard, Graph, Stat, Table, Variable

JOB: Final = 'job="$job"'
ALERTS: Final = 'ALERTS{alertstate="firing",alertname=~"WhisperOperator.*|WhisperService(Stalled|NotReady|Impaired)"}'
WINDOW: Final = "[$__rate_interval]"


def rate(metric: str) -> str:
    return f"rate({metric}{{{JOB}}}{WINDOW})"


def quantile(of: float, metric: str) -> str:
    return f"histogram_quantile({of}, sum by (le) ({rate(f'{metric}_bucket')}))"


def services(matchers: str, *labels: str) -> str:
    """The conditions that match; each replica of the operator tells all of them, so each is taken once."""
    by = ", ".join(("namespace", "name", *labels))
    return f"max by ({by}) (whisper_operator_service_condition{{{JOB},{matchers}}})"


READY: Final = 'condition="Ready"'
NOT_READY: Final = 'condition="Ready",status!="True"'
STALLED: Final = 'condition="Stalled",status="True"'
IMPAIRED: Final = 'condition=~"AcceleratorInUse|AutoscalingActive|CacheAsSpecified|Exposed|Monitored",status="False"'

DASHBOARD: Final = Dashboard(
    "whisper-operator",
    "Whisper / operator",
    (Variable("job", "Operator", 'label_values(leader_election_master_status{name="whisper-operator"}, job)'),),
    {
        "Is it fine?": (
            Stat(
                "Alerts firing",
                f"count({ALERTS}) or vector(0)",
                "Each has a page in docs/runbooks.",
                {1: "red"},
            ),
            Stat(
                "Replicas that lead",
                f"sum(leader_election_master_status{{{JOB}}}) or vector(0)",
                "One, or nothing is reconciled.",
                {1: "green", 2: "red"},
                below="red",
            ),
            Stat(
                "Services not Ready",
                f"count({services(NOT_READY)}) or vector(0)",
                "Those that are about to be, too.",
                {1: "orange"},
            ),
            Stat(
                "Services stalled",
                f"count({services(STALLED)}) or vector(0)",
                "They wait for their owners.",
                {1: "red"},
            ),
            Stat(
                "Passes failing",
                f"sum({rate('controller_runtime_reconcile_errors_total')}) / "
                f"sum({rate('controller_runtime_reconcile_total')})",
                "Each is tried again.",
                {0.01: "orange", 0.1: "red"},
                "percentunit",
            ),
            Stat(
                "Longest wait",
                f"max(whisper_operator_queue_standstill_seconds{{{JOB}}})",
                "Seconds for which a service waits for its pass, or is in work. The operator restarts beyond 180.",
                {10: "orange", 60: "red"},
                "s",
            ),
        ),
        "Services": (
            Table(
                "Not Ready",
                services(NOT_READY, "reason"),
                "`kubectl describe wsvc` has the cause and the remedy.",
                ("namespace", "name", "reason"),
            ),
            Table(
                "Impaired",
                services(IMPAIRED, "condition", "reason"),
                "They serve, but not all that their specs ask for.",
                ("namespace", "name", "condition", "reason"),
            ),
            Graph(
                "Services by why they are as they are",
                {"{{reason}}": f"count by (reason) ({services(READY, 'reason')})"},
                "The reasons of the condition Ready.",
            ),
            Graph(
                "From a change to Ready",
                {
                    "half": quantile(0.5, "whisper_operator_ready_seconds"),
                    "19 in 20": quantile(0.95, "whisper_operator_ready_seconds"),
                },
                "Download, rollout and proof included.",
                "s",
            ),
        ),
        "Passes": (
            Graph(
                "Passes by result",
                {"{{result}}": f"sum by (result) ({rate('controller_runtime_reconcile_total')})"},
                "At rest there is next to none.",
                "ops",
            ),
            Graph(
                "Failures by cause",
                {
                    "{{cause}}": f"sum by (cause) ({rate('whisper_operator_errors_total')})",
                    "bugs": f"sum({rate('controller_runtime_reconcile_panics_total')})",
                    "specs that only their authors can mend": "sum("
                    f"{rate('controller_runtime_terminal_reconcile_errors_total')})",
                },
                "The causes are the API server's reasons, Timeout, or an exception's name.",
                "ops",
            ),
            Graph(
                "Seconds of a pass",
                {
                    "half": quantile(0.5, "controller_runtime_reconcile_time_seconds"),
                    "99 in 100": quantile(0.99, "controller_runtime_reconcile_time_seconds"),
                },
                "A pass is given up after 60 seconds.",
                "s",
            ),
            Graph(
                "Workers",
                {
                    "busy": f"sum(controller_runtime_active_workers{{{JOB}}})",
                    "there": f"max(controller_runtime_max_concurrent_reconciles{{{JOB}}})",
                },
                "All of them busy for long: raise the chart's value `workers`.",
            ),
        ),
        "Queue and watches": (
            Graph(
                "Keys that wait",
                {"{{pod}}": f"workqueue_depth{{{JOB}}}"},
                "The standby's are taken up when it leads.",
            ),
            Graph(
                "Seconds that a key waits",
                {
                    "half": quantile(0.5, "workqueue_queue_duration_seconds"),
                    "99 in 100": quantile(0.99, "workqueue_queue_duration_seconds"),
                },
                "From a change to the beginning of its pass.",
                "s",
            ),
            Graph(
                "Standstills",
                {
                    "queue of {{pod}}": f"whisper_operator_queue_standstill_seconds{{{JOB}}}",
                    "watches of {{pod}}": f"whisper_operator_watches_silent_seconds{{{JOB}}}",
                },
                "/healthz fails beyond 180 seconds.",
                "s",
            ),
            Graph(
                "Lost and found",
                {
                    "changes missed": f"sum(increase(whisper_operator_missed_changes_total{{{JOB}}}[1h]))",
                    "Events dropped": f"sum(increase(whisper_operator_events_dropped_total{{{JOB}}}[1h]))",
                    "keys tried again": f"sum(increase(workqueue_retries_total{{{JOB}}}[1h]))",
                },
                "Within an hour. Missed changes were made good by the resync.",
            ),
        ),
        "API server and process": (
            Graph(
                "Requests",
                {"{{method}} {{code}}": f"sum by (method, code) ({rate('rest_client_requests_total')})"},
                "Watches are not among them. At rest nothing but the Lease is written.",
                "reqps",
            ),
            Graph(
                "Memory",
                {"{{pod}}": f"process_resident_memory_bytes{{{JOB}}}"},
                "It grows with the number of services; the chart's limit is 512 MiB.",
                "bytes",
            ),
            Graph("Processors", {"{{pod}}": rate("process_cpu_seconds_total")}, "Processors in use."),
            Table(
                "Replicas",
                f"max by (pod, version) (whisper_operator_build_info{{{JOB}}})",
                "Two versions during an upgrade only.",
                ("pod", "version"),
            ),
        ),
    },
    ALERTS,
)
