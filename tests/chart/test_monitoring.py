"""What the chart adds where Prometheus and Grafana are, and nowhere else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.chart import CHART, helm, of_kind, template
from tests.support.promql import unknown
from tests.support.promtool import assert_fires, check
from whisper_operator.build.prometheus_rule import RUNBOOKS

ALERTS = ("--set", "monitoring.serviceMonitor.enabled=true,monitoring.alerts.enabled=true")
DASHBOARDS = ("--set", "monitoring.dashboards.enabled=true")
HOUR = 60
"""Minutes that every series lasts."""


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    (rule,) = of_kind(template(*ALERTS), "PrometheusRule")
    return [one for group in rule["spec"]["groups"] for one in group["rules"]]


def own(metric: str, values: str, pod: str = "one", **labels: str) -> dict[str, str]:
    """A series of the operator's, as the chart's ServiceMonitor labels it."""
    found = {"job": "whisper-operator-metrics", "namespace": "whisper-system", "pod": pod, **labels}
    return {f"{metric}{{{_matchers(found)}}}": values}


def condition(kind: str, status: str, values: str, pod: str = "one", reason: str = "X") -> dict[str, str]:
    """A condition of the WhisperService team/speech, as one of the operator's replicas tells it."""
    labels = {"condition": kind, "status": status, "reason": reason}
    found = {"job": "whisper-operator-metrics", "namespace": "team", "name": "speech", "pod": pod, **labels}
    return {f"whisper_operator_service_condition{{{_matchers(found)}}}": values}


def _matchers(labels: dict[str, str]) -> str:
    return ",".join(f'{key}="{value}"' for key, value in labels.items())


def passes(result: str, values: str) -> dict[str, str]:
    return own("controller_runtime_reconcile_total", values, controller="whisperservice", result=result)


def errors(values: str) -> dict[str, str]:
    failed = own("controller_runtime_reconcile_errors_total", values, controller="whisperservice")
    return failed | passes("error", values)


def lasting(within: dict[str, str]) -> dict[str, str]:
    """Cumulative buckets of the passes' seconds, by their upper bounds."""
    found: dict[str, str] = {}
    for bound, values in within.items():
        found |= own("controller_runtime_reconcile_time_seconds_bucket", values, le=bound)
    return found


HEALTHY = {
    **own("leader_election_master_status", f"1x{HOUR}", name="whisper-operator"),
    **own("leader_election_master_status", f"0x{HOUR}", pod="two", name="whisper-operator"),
    **passes("success", f"0+60x{HOUR}"),
    **errors(f"0x{HOUR}"),
    **own("controller_runtime_reconcile_panics_total", f"0x{HOUR}"),
    **lasting({"1": f"0+60x{HOUR}", "10": f"0+60x{HOUR}", "60": f"0+60x{HOUR}", "+Inf": f"0+60x{HOUR}"}),
    **own("whisper_operator_queue_standstill_seconds", f"0.1x{HOUR}"),
    **own("whisper_operator_watches_silent_seconds", f"0.9x{HOUR}"),
    **own("whisper_operator_missed_changes_total", f"3x{HOUR}"),
    **condition("Ready", "True", f"1x{HOUR}"),
    **condition("Ready", "True", f"1x{HOUR}", pod="two"),
    **condition("Exposed", "True", f"1x{HOUR}"),
}

FIRES = [
    pytest.param(
        own("leader_election_master_status", f"0x{HOUR}", name="whisper-operator"),
        6,
        {"WhisperOperatorNoLeader"},
        id="nobody leads",
    ),
    pytest.param(
        own("leader_election_master_status", f"1x10 0x{HOUR}", name="whisper-operator")
        | own("leader_election_master_status", f"0x11 1x{HOUR}", pod="two", name="whisper-operator"),
        20,
        set[str](),
        id="the other one leads now",
    ),
    pytest.param(dict.fromkeys(HEALTHY, "1x5 stale"), 12, {"WhisperOperatorNoLeader"}, id="the operator is gone"),
    pytest.param(errors(f"0+10x{HOUR}"), 30, {"WhisperOperatorPassesFailing"}, id="one pass in seven fails"),
    pytest.param(errors(f"0+2x{HOUR}"), 30, set[str](), id="one pass in thirty fails"),
    pytest.param(errors(f"0+30x10 300x{HOUR}"), 45, set[str](), id="the API server restarted"),
    pytest.param(
        own("controller_runtime_reconcile_panics_total", f"0x20 1x{HOUR}"), 25, {"WhisperOperatorBug"}, id="a bug"
    ),
    pytest.param(
        own("whisper_operator_queue_standstill_seconds", f"70x{HOUR}"), 15, {"WhisperOperatorQueueStuck"}, id="stuck"
    ),
    pytest.param(
        own("whisper_operator_queue_standstill_seconds", f"30 90 150 0x2 30 90 150 0x2 30 90 150 0x2 30 90 150x{HOUR}"),
        18,
        {"WhisperOperatorQueueStuck"},
        id="stuck again after each restart",
    ),
    pytest.param(
        own("whisper_operator_queue_standstill_seconds", f"0 60 120 180 0x{HOUR}"), 15, set[str](), id="a long start"
    ),
    pytest.param(
        own("whisper_operator_watches_silent_seconds", f"100x{HOUR}"),
        15,
        {"WhisperOperatorWatchesSilent"},
        id="the watches hang",
    ),
    pytest.param(
        lasting({"1": f"0+50x{HOUR}", "10": f"0+50x{HOUR}"}), 30, {"WhisperOperatorPassesSlow"}, id="passes are slow"
    ),
    pytest.param(
        own("whisper_operator_missed_changes_total", f"0+1x{HOUR}"),
        55,
        {"WhisperOperatorChangesMissed"},
        id="each resync finds ten changes",
    ),
    pytest.param(
        condition("Ready", "False", f"1x{HOUR}") | condition("Stalled", "True", f"1x{HOUR}"),
        45,
        {"WhisperServiceStalled"},
        id="a Secret is missing",
    ),
    pytest.param(condition("Ready", "False", f"1x{HOUR}"), 31, {"WhisperServiceNotReady"}, id="a download hangs"),
    pytest.param(
        condition("Ready", "False", f"1x15 _x{HOUR}", reason="Fetching")
        | condition("Ready", "False", f"_x15 1x{HOUR}", reason="RollingOut"),
        33,
        {"WhisperServiceNotReady"},
        id="one reason follows another",
    ),
    pytest.param(condition("Ready", "False", "1x20 stale"), 45, set[str](), id="a large download"),
    pytest.param(
        condition("AcceleratorInUse", "False", f"1x{HOUR}"), 31, {"WhisperServiceImpaired"}, id="a GPU is not used"
    ),
    pytest.param(condition("Exposed", "False", f"1x{HOUR}"), 31, {"WhisperServiceImpaired"}, id="no way in"),
    pytest.param(
        condition("Ready", "True", f"1x{HOUR}") | condition("RolledOut", "False", f"1x{HOUR}"),
        31,
        {"WhisperServiceImpaired"},
        id="a pod more than the promised ones finds no node",
    ),
    pytest.param(
        condition("Exposed", "False", f"1x{HOUR}") | condition("Stalled", "True", f"1x{HOUR}"),
        45,
        {"WhisperServiceStalled"},
        id="an Ingress is refused",
    ),
    pytest.param(
        condition("RolledOut", "False", f"1x{HOUR}") | condition("Ready", "False", f"1x{HOUR}"),
        45,
        {"WhisperServiceNotReady"},
        id="too few pods serve",
    ),
    pytest.param(condition("RuntimeUpdateAvailable", "True", f"1x{HOUR}"), 45, set[str](), id="a newer image"),
]


def test_by_default_nothing_needs_prometheus_or_grafana() -> None:
    bodies = template()
    assert [body for body in bodies if "monitoring.coreos.com" in body["apiVersion"]] == []
    assert of_kind(bodies, "ConfigMap") == []


def test_alerts_without_series_are_refused_with_the_remedy() -> None:
    done = helm("template", str(CHART), "--set", "monitoring.alerts.enabled=true")
    assert done.returncode != 0
    assert "needs monitoring.serviceMonitor.enabled" in done.stderr


def test_the_service_monitor_finds_the_metrics_and_keeps_the_services_namespaces() -> None:
    bodies = template(*ALERTS, "--set", "monitoring.serviceMonitor.labels.release=prometheus")
    (monitor,), (service,) = of_kind(bodies, "ServiceMonitor"), of_kind(bodies, "Service")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]
    assert endpoint["honorLabels"] is True


def test_dashboards_come_as_grafanas_sidecar_finds_them() -> None:
    found = of_kind(template(*DASHBOARDS, "--set", "monitoring.dashboards.annotations.folder=Speech"), "ConfigMap")
    assert {body["metadata"]["labels"]["grafana_dashboard"] for body in found} == {"1"}
    assert {body["metadata"]["annotations"]["folder"] for body in found} == {"Speech"}
    files = {name: content for body in found for name, content in body["data"].items()}
    assert {name: json.loads(content) for name, content in files.items()} == {
        file.name: json.loads(file.read_text()) for file in (CHART / "dashboards").glob("*.json")
    }


def test_a_healthy_operator_is_silent(rules: list[dict[str, Any]], tmp_path: Path) -> None:
    assert_fires(rules, HEALTHY, 50, set(), tmp_path)


@pytest.mark.parametrize(("series", "minutes", "alerts"), FIRES)
def test_what_fires(
    rules: list[dict[str, Any]], series: dict[str, str], minutes: int, alerts: set[str], tmp_path: Path
) -> None:
    assert_fires(rules, HEALTHY | series, minutes, alerts, tmp_path)


def test_every_alert_has_its_row(rules: list[dict[str, Any]]) -> None:
    fired = {name for row in FIRES for name in row.values[2]}  # type: ignore[union-attr]
    assert fired == {rule["alert"] for rule in rules}


def test_every_rule_parses_reads_what_is_exported_and_leads_to_its_page(
    rules: list[dict[str, Any]], tmp_path: Path
) -> None:
    check(rules, tmp_path)
    for rule in rules:
        assert unknown(rule["expr"]) == []
        assert rule["annotations"]["runbook_url"] == f"{RUNBOOKS}/{rule['alert']}.md"
        assert {"summary", "description", "runbook_url"} == set(rule["annotations"])
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_two_operators_are_told_apart() -> None:
    done = helm("template", "speech", str(CHART), "--namespace", "team-a", *ALERTS)
    assert 'leader_election_master_status{job="speech-whisper-operator-metrics",namespace="team-a"}' in done.stdout


@pytest.mark.parametrize("file", sorted((CHART / "dashboards").glob("*.json")), ids=lambda file: file.stem)
def test_every_query_of_a_dashboard_parses(file: Path, tmp_path: Path) -> None:
    panels = json.loads(file.read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    filled = [re.sub(r"\$\{?\w+\}?", "x", query.replace("$__rate_interval", "5m")) for query in queries]
    check([{"record": "parsed", "expr": query} for query in filled], tmp_path)
