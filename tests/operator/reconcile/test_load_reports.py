"""A pod that serves is asked how fast it is, once a minute at most."""

from __future__ import annotations

import pytest

from tests.operator.samples import pod
from whisper_operator.api.v1alpha1 import Manifest
from whisper_operator.reconcile import pod_reports
from whisper_operator.reconcile.load_reports import load_reports
from whisper_runtime.contract.front import LoadReport

FAST = LoadReport(is_ready=True, queued_audio_seconds=0, free_rows=4, queue_limit_seconds=600, speed=20.0)


@pytest.mark.parametrize(
    ("report", "seconds"), [(FAST, 60), (None, 600)], ids=["that answers", "of an earlier release"]
)
async def test_a_pod_is_asked_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch, report: LoadReport | None, seconds: float
) -> None:
    asked: list[str] = []
    now = [1000.0]

    async def ask(_pod: Manifest, path: str, _report: type[LoadReport], _news: object) -> LoadReport | None:
        asked.append(path)
        return report

    monkeypatch.setattr(pod_reports, "ask", ask)
    monkeypatch.setattr(pod_reports.time, "monotonic", lambda: now[0])
    reader, serving = load_reports(), pod("server", "one")
    for passed, questions in ((0, 1), (seconds - 1, 1), (1, 2)):
        now[0] += passed
        assert await reader.read(serving) == report
        assert asked == ["/load"] * questions
