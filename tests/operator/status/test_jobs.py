"""What waits as jobs is in the status, and changes it seldom."""

from __future__ import annotations

from typing import Any

import pytest

from tests.operator.samples import observed, resolved, service
from whisper_operator.api.status import JobsStatus
from whisper_operator.status.jobs import jobs_status, since, step
from whisper_runtime.contract.reports import JobsReport

NOON = 1_796_040_000.0
"""2026-11-30 12:00 UTC."""


def status(report: JobsReport | None, before: dict[str, Any] | None = None, **spec: Any) -> JobsStatus | None:
    wanted = service({"jobs": before} if before else {}, **spec)
    return jobs_status(resolved(wanted, observed(jobs=report, now=NOON)))


def test_what_a_pod_reports_is_shown() -> None:
    found = status(JobsReport(queued_audio_seconds=7300, oldest_queued=NOON - 3700), jobs={})
    assert found == JobsStatus(queued_audio="2h", oldest_queued="2026-11-30T10:50:00Z")
    nothing = status(JobsReport(queued_audio_seconds=0, oldest_queued=None), jobs={})
    assert nothing == JobsStatus(queued_audio="0s")


def test_what_no_pod_reports_is_as_it_was() -> None:
    """As while the pod is replaced, or the service suspended: the jobs wait on."""
    assert status(None, {"queuedAudio": "5h"}, jobs={}) == JobsStatus(queued_audio="5h")
    assert status(None, jobs={}) is None


def test_a_service_without_jobs_has_none() -> None:
    assert status(None, {"queuedAudio": "5h"}) is None


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-1e-9, 0), (0, 0), (59, 0), (60, 60), (3599, 1800), (3600, 3600), (1e9, 720 * 3600)],
)
def test_audio_is_shown_by_the_step_below_it(seconds: float, shown: int) -> None:
    assert step(seconds) == shown


def test_a_queue_of_a_day_that_is_worked_off_changes_the_audio_ten_times() -> None:
    assert len({step(seconds) for seconds in range(24 * 3600, -1, -10)}) == 10


@pytest.mark.parametrize("waited", [None, 0, 599])
def test_a_queue_that_moves_shows_no_time(waited: float | None) -> None:
    assert since(None if waited is None else NOON - waited, NOON) is None


def test_a_job_that_waits_shows_the_same_time_however_long_it_waits() -> None:
    accepted = NOON - 1000
    assert {since(accepted, accepted + waited) for waited in range(600, 100_000, 60)} == {"2026-11-30T11:40:00Z"}
