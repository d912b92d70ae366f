"""A pod that does not answer, or answers something else, is no failure of the pass."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.fakes.mirror import Mirror, serving, whole
from whisper_operator.reconcile import pod_questions
from whisper_operator.reconcile.pod_questions import ask
from whisper_runtime.contract.reports import JobsReport

POD = {"metadata": {"name": "server", "uid": "1"}, "status": {"podIP": "127.0.0.1"}}


@pytest.mark.parametrize(
    ("content", "report"),
    [
        (b'{"queued_audio_seconds": 7, "oldest_queued": null}', JobsReport(queued_audio_seconds=7, oldest_queued=None)),
        (b'{"error": {"code": "no_jobs"}}', None),
        (b"<html>", None),
    ],
)
async def test_an_answer_is_a_report_or_nothing(
    monkeypatch: pytest.MonkeyPatch, content: bytes, report: JobsReport | None
) -> None:
    with serving(Mirror(content, answers=[whole])) as mirror:
        monkeypatch.setattr(pod_questions, "METRICS_PORT", urlsplit(mirror.url).port)
        assert await ask(POD, "/jobs", JobsReport) == report


async def test_a_pod_that_does_not_answer_reports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_questions, "METRICS_PORT", 9)
    assert await ask(POD, "/jobs", JobsReport) is None
