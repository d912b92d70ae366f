"""What is remembered of pods is bounded, and only those are asked that are ready and have an address."""

from __future__ import annotations

import pytest

from tests.operator.samples import observed, pod
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.objects import names
from whisper_operator.reconcile import pod_reports
from whisper_operator.reconcile.pod_reports import PodReports, ready_pods
from whisper_runtime.contract.reports import JobsReport

REPORT = JobsReport(queued_audio_seconds=7.0, oldest_queued=None)
READY = {"type": "Ready", "status": "True"}


async def test_the_pod_that_was_asked_longest_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def ask(one: Manifest, _path: str, _report: type[JobsReport], _news: object) -> JobsReport:
        asked.append(one["metadata"]["name"])
        return REPORT

    monkeypatch.setattr(pod_reports, "ask", ask)
    monkeypatch.setattr(pod_reports, "REMEMBERED", 2)
    reports = PodReports("/jobs", JobsReport, ask_seconds=1e9, silent_seconds=1e9)
    for name in ("a", "b", "a", "c", "a", "b"):
        assert await reports.read(pod(names.SERVER, name)) == REPORT
    assert asked == ["a", "b", "c", "b"]


def test_ready_pods_with_an_address_are_asked() -> None:
    there = observed(
        pod(names.SERVER, "one", podIP="10.0.0.1", conditions=[READY]),
        pod(names.SERVER, "two", podIP="10.0.0.1", conditions=[]),
        pod(names.SERVER, "three", conditions=[READY]),
    )
    assert [one["metadata"]["name"] for one in ready_pods(there, names.SERVER)] == ["one"]
