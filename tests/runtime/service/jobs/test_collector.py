"""What Prometheus reads of a store of jobs."""

from __future__ import annotations

from typing import get_args

import pytest
from prometheus_client import CollectorRegistry

from whisper_runtime.service.jobs.collector import JobCollector, age
from whisper_runtime.service.jobs.job import AttemptOutcome, JobState, JobStatistics, JobTally

NOTHING = JobStatistics({}, 0.0, None)


def registry(statistics: JobStatistics, progress_seconds: float = 0.0, limit_bytes: int = 1000) -> CollectorRegistry:
    found = CollectorRegistry()
    found.register(JobCollector(lambda: statistics, lambda: progress_seconds, limit_bytes))
    return found


def test_states_and_outcomes_begin_at_0_so_that_the_first_increase_is_seen() -> None:
    found = registry(NOTHING)
    for state in get_args(JobState):
        assert found.get_sample_value("whisper_jobs", {"state": state}) == 0
    for outcome in get_args(AttemptOutcome):
        assert found.get_sample_value("whisper_job_attempts_total", {"outcome": outcome}) == 0


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("whisper_jobs", {"state": "queued"}, 2),
        ("whisper_jobs_queued_audio_seconds", {}, 90),
        ("whisper_jobs_store_bytes", {}, 600),
        ("whisper_jobs_store_limit_bytes", {}, 1000),
        ("whisper_job_attempts_total", {"outcome": "lease_lost"}, 3),
        ("whisper_job_failures_total", {"cause": "job_abandoned"}, 1),
        ("whisper_job_progress_seconds_total", {}, 42),
        ("whisper_jobs_expired_total", {}, 5),
    ],
)
def test_each_number_of_the_statistics_is_a_metric(name: str, labels: dict[str, str], value: float) -> None:
    tally = JobTally({"lease_lost": 3}, {"job_abandoned": 1}, expired=5)
    statistics = JobStatistics({"queued": 2}, 90.0, oldest_created=1.0, used_bytes=600, tally=tally)
    assert registry(statistics, progress_seconds=42.0).get_sample_value(name, labels) == value


@pytest.mark.parametrize(("created", "seconds"), [(None, 0.0), (100.0, 20.0), (130.0, 0.0)])
def test_an_age_is_never_negative(created: float | None, seconds: float) -> None:
    assert age(created, now=120.0) == seconds
