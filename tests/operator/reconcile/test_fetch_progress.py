"""How far a fetch is: asked of its pod, and shown no more often than a status should be written."""

from __future__ import annotations

import pytest

from whisper_operator.reconcile import pod_questions
from whisper_operator.reconcile.fetch_progress import ProgressReader, Reading, follow
from whisper_runtime.contract.reports import FetchProgress
from whisper_runtime.fetch.progress import ProgressTracker
from whisper_runtime.fetch.progress_server import serve_progress

POD = {"metadata": {"name": "fetch", "uid": "1"}, "status": {"podIP": "127.0.0.1"}}


def at(done: int, problem: str | None = None) -> FetchProgress:
    return FetchProgress(model="base", bytes=done, problem=problem)


def test_the_first_answer_is_shown() -> None:
    assert follow(None, at(1), 100.0) == Reading(100.0, 100.0, at(1))


def test_bytes_are_shown_every_ten_seconds() -> None:
    first = follow(None, at(1), 100.0)
    second = follow(first, at(2), 104.0)
    assert second.shown == at(1)
    assert follow(second, at(3), 110.0).shown == at(3)


@pytest.mark.parametrize("problem", ["http://mirror/base.pt answered 503", None])
def test_a_problem_is_shown_and_taken_back_at_once(problem: str | None) -> None:
    before = follow(None, at(1, None if problem else "stalled"), 100.0)
    assert follow(before, at(1, problem), 101.0).shown == at(1, problem)


async def test_a_pod_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    running = ProgressTracker("base")
    running.start(0, 1000)
    running.advance(300)
    with serve_progress(running, 0) as port:
        monkeypatch.setattr(pod_questions, "METRICS_PORT", port)
        reader = ProgressReader()
        found = await reader.read(POD)
        assert found is not None
        assert (found.bytes, found.total) == (300, 1000)
        running.advance(400)
        assert await reader.read(POD) == found, "it is not asked again at once"
