"""The pod that keeps jobs is asked what waits, and no more often than that is worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.operator.samples import observed, pod, service
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.reconcile import pod_reports
from whisper_operator.reconcile.job_reports import job_reports, keeper
from whisper_runtime.contract.reports import JobsReport

REPORT = JobsReport(queued_audio_seconds=7.0, oldest_queued=None)


class AskedPods:
    """Stands for the pods, and counts the questions."""

    def __init__(self) -> None:
        self.report: JobsReport | None = REPORT
        self.questions = 0

    async def ask(self, _pod: Manifest, path: str, _report: type[JobsReport], _news: object) -> JobsReport | None:
        assert path == "/jobs"
        self.questions += 1
        return self.report


@pytest.fixture
def pods(monkeypatch: pytest.MonkeyPatch) -> AskedPods:
    found = AskedPods()
    monkeypatch.setattr(pod_reports, "ask", found.ask)
    return found


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    now = [1000.0]
    monkeypatch.setattr(pod_reports.time, "monotonic", lambda: now[0])

    def passing(seconds: float) -> None:
        now[0] += seconds

    return passing


@pytest.mark.parametrize(("report", "seconds"), [(REPORT, 60), (None, 600)], ids=["that answers", "that is silent"])
async def test_a_pod_is_asked_again_after_a_while(
    pods: AskedPods, pass_time: Callable[[float], None], report: JobsReport | None, seconds: float
) -> None:
    pods.report = report
    reader, keeps = job_reports(), pod("server", "one")
    for _ in range(3):
        assert await reader.read(keeps) == report
        pass_time(seconds / 3 - 1)
    assert pods.questions == 1
    pass_time(3)
    await reader.read(keeps)
    assert pods.questions == 2


async def test_the_next_pod_is_asked_at_once(pods: AskedPods) -> None:
    reader = job_reports()
    await reader.read(pod("server", "one"))
    await reader.read(pod("server", "two"))
    assert pods.questions == 2


READY = {"podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]}


@pytest.mark.parametrize(
    ("spec", "status", "is_asked"),
    [({"jobs": {}}, READY, True), ({}, READY, False), ({"jobs": {}}, {**READY, "conditions": []}, False)],
    ids=["ready", "without jobs", "not ready"],
)
def test_a_ready_pod_that_keeps_jobs_is_asked(spec: dict[str, Any], status: dict[str, Any], is_asked: bool) -> None:
    assert (keeper(service(**spec), observed(pod("server", "one", **status))) is not None) is is_asked
