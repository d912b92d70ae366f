"""A fetching pod answers with its progress: JSON for the operator, metrics for Prometheus."""

from __future__ import annotations

from tests.support import plain_http
from whisper_runtime.contract.reports import FetchProgress
from whisper_runtime.fetch.progress import ProgressTracker
from whisper_runtime.fetch.progress_server import serve_progress


def get(port: int | None, path: str) -> str:
    response = plain_http.get(f"http://127.0.0.1:{port}{path}", timeout=5, trust_env=False)
    response.raise_for_status()
    return response.text


def test_bytes_and_the_problem() -> None:
    progress = ProgressTracker("base")
    with serve_progress(progress, 0) as port:
        progress.start(100, 1000)
        progress.advance(300)
        found = FetchProgress.model_validate_json(get(port, "/progress"))
        assert (found.model, found.bytes, found.total, found.problem) == ("base", 300, 1000, None)
        assert found.bytes_per_second
        progress.report_problem("http://mirror/base.pt answered 503")
        assert FetchProgress.model_validate_json(get(port, "/progress?now")).problem == (
            "http://mirror/base.pt answered 503"
        )


def test_metrics() -> None:
    progress = ProgressTracker("base")
    with serve_progress(progress, 0) as port:
        progress.start(100, 1000)
        progress.advance(300)
        assert "whisper_fetch_bytes 300.0" in get(port, "/metrics")
        assert "whisper_fetch_total_bytes 1000.0" in get(port, "/metrics")
        assert "whisper_fetch_left_seconds " in get(port, "/metrics")


def test_other_paths_are_not_there() -> None:
    with serve_progress(ProgressTracker("base"), 0) as port:
        assert plain_http.get(f"http://127.0.0.1:{port}/elsewhere", trust_env=False).status_code == 404


def test_a_port_that_is_taken_does_not_stop_the_fetch() -> None:
    first, second = ProgressTracker("base"), ProgressTracker("base")
    with serve_progress(first, 0) as port:
        assert port is not None
        with serve_progress(second, port) as other:
            assert other is None
