"""A pod that does not answer, or answers something else, is no failure of the pass."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from tests.fakes.mirror import Mirror, serving, whole
from tests.fakes.web_server import FakeRequest, answering
from whisper_operator.reconcile import pod_questions
from whisper_operator.reconcile.pod_questions import ask
from whisper_runtime.contract.front import DemandReport, WakeForecast
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


class EchoRequest(FakeRequest):
    """Reports as many held requests as seconds of the forecast that it is handed, 9 without one."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.headers["Content-Type"] == "application/json"
        self.report(body["expectedSeconds"])

    def do_GET(self) -> None:
        self.report(9)

    def report(self, held: int) -> None:
        numbers = {"heldRequests": held, "heldBytes": 0, "activeRequests": 0, "idleSeconds": 0}
        self.answer(200, json.dumps(numbers).encode())


class OlderRequest(EchoRequest):
    """As a pod of an earlier release, which knows no POST there."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(405)


@pytest.mark.parametrize(("request_type", "held"), [(EchoRequest, 4), (OlderRequest, 9)])
async def test_a_pod_is_handed_news_with_the_question_where_it_takes_any(
    monkeypatch: pytest.MonkeyPatch, request_type: type[FakeRequest], held: int
) -> None:
    with answering(request_type) as url:
        monkeypatch.setattr(pod_questions, "METRICS_PORT", urlsplit(url).port)
        found = await ask(POD, "/demand", DemandReport, WakeForecast(expected_seconds=4))
    assert found is not None
    assert found.held_requests == held


async def test_a_pod_that_does_not_answer_reports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pod_questions, "METRICS_PORT", 9)
    assert await ask(POD, "/jobs", JobsReport) is None
