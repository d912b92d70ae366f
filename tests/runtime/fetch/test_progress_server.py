"""What a fetching pod tells while it works."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.fakes.mirror import Mirror, cut, whole
from tests.runtime.fetch.conftest import digest, fetched
from whisper_runtime.contract.reports import FetchProgress
from whisper_runtime.fetch.progress import Progress
from whisper_runtime.fetch.progress_server import observable


def asked(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return answer.read().decode()


def test_bytes_and_what_hinders_it() -> None:
    progress = Progress("base")
    with observable(progress, 0) as port:
        progress.begins(100, 1000)
        progress.moves(300)
        found = FetchProgress.model_validate_json(asked(port, "/progress"))
        assert (found.model, found.bytes, found.total, found.problem) == ("base", 300, 1000, None)
        assert found.bytes_per_second
        progress.fails("http://mirror/base.pt answered 503")
        assert (
            FetchProgress.model_validate_json(asked(port, "/progress")).problem == "http://mirror/base.pt answered 503"
        )
        assert "whisper_fetch_bytes 300.0" in asked(port, "/metrics")
        assert "whisper_fetch_total_bytes 1000.0" in asked(port, "/metrics")
        assert "whisper_fetch_left_seconds " in asked(port, "/metrics")
        with pytest.raises(urllib.error.HTTPError):
            asked(port, "/elsewhere")


@pytest.mark.parametrize(
    ("done", "total", "speed", "left"),
    [(300, 1000, 100, 7), (300, None, 100, None), (300, 1000, None, None), (9, 9, 1, 0)],
)
def test_the_time_that_is_left(done: int, total: int | None, speed: int | None, left: int | None) -> None:
    assert FetchProgress(model="base", bytes=done, total=total, bytes_per_second=speed).seconds_left == left


def test_a_port_that_is_taken_is_no_obstacle() -> None:
    with observable(Progress("base"), 0) as port, observable(Progress("base"), port) as other:
        assert other == 0


def test_the_problem_is_told_until_bytes_come_again(mirror: Mirror, cache: Path) -> None:
    mirror.answers = [cut(0.5), whole]
    seen: list[FetchProgress] = []

    class Watched(Progress):
        def fails(self, problem: str) -> None:
            super().fails(problem)
            seen.append(self.now)

    from whisper_runtime.contract.config import RuntimeConfig
    from whisper_runtime.fetch.fetch import fetch

    progress = Watched("mine")
    config = RuntimeConfig(
        model="mine", model_dir=str(cache), model_url=mirror.url, model_sha256=digest(mirror.content)
    )
    assert fetch(config, progress).reason == "Fetched"
    assert "ended after" in (seen[0].problem or "")
    assert (progress.now.problem, progress.now.bytes) == (None, len(mirror.content))
    assert fetched(cache, mirror.url, digest(mirror.content)).reason == "AlreadyCached"
