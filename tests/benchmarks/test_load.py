"""Ten times the capacity and many requests in a row, in short; `python -m benchmarks.load` runs the long forms."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.load import beside, overload, soak
from benchmarks.load.client import AudioFile, ClientBehaviour, RequestOutcome
from benchmarks.load.overload import problem_of
from testbed.runtime_process import RuntimeProcess, running

SECONDS = 6
REQUESTS = 30
HEALTH_SECONDS = 10.0
"""A stuck probe, not a slow machine: the report of the long form has the percentiles."""


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RuntimeProcess]:
    with running(tmp_path_factory.mktemp("load") / "runtime", max_queued_audio_seconds=60) as started:
        yield started


@pytest.mark.slow
def test_overload_ends_every_request_as_it_may_and_then_all_is_at_rest(runtime: RuntimeProcess, tmp_path: Path) -> None:
    report = asyncio.run(overload.run(runtime, tmp_path, SECONDS))
    assert report.problems == []
    assert {outcome.status for outcome in report.outcomes} >= {200, 429}
    assert max(report.health) < HEALTH_SECONDS
    assert "at rest" in overload.markdown(report, "tiny.en")


@pytest.mark.slow
def test_requests_in_a_row_leave_nothing_behind(runtime: RuntimeProcess, tmp_path: Path) -> None:
    report = asyncio.run(soak.run(runtime, tmp_path, REQUESTS))
    assert report.problems == []
    assert "None." in soak.markdown(report, "tiny.en")


@pytest.mark.slow
def test_beside_a_long_recording_no_short_clip_is_refused(runtime: RuntimeProcess, tmp_path: Path) -> None:
    report = asyncio.run(beside.run(runtime, tmp_path, 3))
    assert report.is_still_in_work
    assert [one.status for one in (*report.alone, *report.beside)] == [200] * 6
    assert "Refused:\n0." in beside.markdown(report, "tiny.en")


@pytest.mark.parametrize(
    ("status", "retry_after", "text", "right"),
    [
        (200, "", "Ask not.", True),
        (200, "", "", False),
        (429, "3", "", True),
        (503, "1", "", True),
        (429, "", "", False),
        (500, "", "", False),
        (504, "", "", False),
        (0, "", "", False),
    ],
)
def test_which_ends_are_allowed(status: int, retry_after: str, text: str, right: bool) -> None:
    file = AudioFile("a.wav", b"", "Ask not.")
    outcome = RequestOutcome(file, ClientBehaviour.PATIENT, status, 1.0, retry_after, text, "")
    assert (problem_of(outcome) is None) == right
