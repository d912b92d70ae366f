"""Checks of the port for probes and metrics, and the facts that a pod reports there."""

from __future__ import annotations

import os

import pytest

from tests.fakes.engine import FakeEngine
from tests.runtime.verify.conftest import CannedClient, decode, options, outcomes, target
from tests.support.runtime_server import fake_server
from whisper_runtime.verify import metrics_port
from whisper_runtime.verify.checks import VerifyTarget, run_checks
from whisper_runtime.verify.run import verify


def reporting(metrics: str, status: int = 200) -> VerifyTarget:
    """A server with these metrics."""
    return target(CannedClient(), CannedClient(metrics, status))


def test_a_server_that_runs_as_root_fails(golden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with fake_server(FakeEngine(), decode) as url:
        report = verify(options(url, golden, metrics_url=url))
    assert outcomes(report, False) == {"not-root"}


@pytest.mark.parametrize(
    ("metrics", "passed", "says"),
    [
        ('whisper_egress_open{target="kubernetes-api"} 0', True, "could not reach the Kubernetes API"),
        ('whisper_egress_open{target="kubernetes-api"} 1', False, "enforces no NetworkPolicy"),
        ("whisper_ready 1", False, "whisper_egress_open is not among the metrics"),
    ],
    ids=["blocked", "open", "not reported"],
)
def test_a_pod_reports_whether_its_egress_is_blocked(metrics: str, passed: bool, says: str) -> None:
    [check] = run_checks(metrics_port.NO_EGRESS, reporting(metrics))
    assert (check.name, check.passed) == ("no-way-out", passed)
    assert says in check.message


def test_egress_is_checked_where_the_pods_must_have_none(golden: str) -> None:
    with fake_server(FakeEngine(), decode) as url:
        report = verify(options(url, golden, metrics_url=url, no_egress=True))
    assert outcomes(report, False) == {"no-way-out"}


METRICS = """\
whisper_model_load_seconds 2.5
whisper_model_info{model="base",digest="",device="NVIDIA H100",compute_type="float16"} 1
whisper_device_memory_bytes 3e9
"""


def test_a_pod_reports_its_start_its_device_and_its_memory() -> None:
    found = {"load_seconds": 2.5, "device": "NVIDIA H100", "compute_type": "float16", "memory_bytes": 3_000_000_000}
    assert metrics_port.pod_facts(reporting(METRICS)) == found


def test_a_pod_in_bfloat16_reports_what_that_is_worth_on_its_processor() -> None:
    facts = metrics_port.pod_facts(reporting('whisper_bfloat16_speed_ratio{processor="A Xeon (avx512f)"} 0.6213\n'))
    assert facts == {"processor": "A Xeon (avx512f)", "bfloat16_speed": 0.62}


@pytest.mark.parametrize(("text", "status"), [("whisper_model_load_seconds 0", 200), ("no metrics {", 200), ("", 500)])
def test_facts_that_a_pod_does_not_report_stay_open(text: str, status: int) -> None:
    assert metrics_port.pod_facts(reporting(text, status)) == {}


def test_a_port_without_the_runtimes_metrics_fails() -> None:
    [check] = run_checks((("metrics", metrics_port.has_metrics),), reporting("other_metric 1\n"))
    assert (check.passed, check.message) == (False, "whisper_requests_total is not among the metrics")
