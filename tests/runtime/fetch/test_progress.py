"""The progress of a fetch: bytes, speed, and the problem of the last attempt."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.mirror import Mirror, cut, whole
from tests.runtime.fetch.conftest import digest
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.contract.reports import FetchProgress
from whisper_runtime.fetch.fetch import fetch
from whisper_runtime.fetch.progress import ProgressTracker


def test_before_a_source_answers_nothing_is_known() -> None:
    assert ProgressTracker("base").snapshot() == FetchProgress(model="base", bytes=0)


def test_a_resumed_fetch_counts_its_speed_from_where_it_resumes() -> None:
    progress = ProgressTracker("base")
    progress.start(1 << 40, 1 << 41)
    assert (progress.snapshot().bytes, progress.snapshot().bytes_per_second) == (1 << 40, None)
    progress.advance((1 << 40) + 1)
    assert 0 <= (progress.snapshot().bytes_per_second or 0) < 1 << 40


def test_a_problem_is_shown_until_bytes_come_again(mirror: Mirror, cache: Path) -> None:
    mirror.answers = [cut(0.5), whole]
    seen: list[FetchProgress] = []

    class Watched(ProgressTracker):
        def report_problem(self, problem: str) -> None:
            super().report_problem(problem)
            seen.append(self.snapshot())

    progress = Watched("mine")
    config = RuntimeConfig(
        model="mine", model_dir=str(cache), model_url=mirror.url, model_sha256=digest(mirror.content)
    )
    assert fetch(config, progress).reason == "Fetched"
    assert "ended after" in (seen[0].problem or "")
    assert (progress.snapshot().problem, progress.snapshot().bytes) == (None, len(mirror.content))
    assert fetch(config).reason == "AlreadyCached"
