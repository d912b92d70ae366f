"""The alerts of a service that keeps jobs; their expressions run in tests/chart/test_job_alerts.py."""

from __future__ import annotations

from tests.operator.samples import service
from whisper_operator.build.alerts import alerts
from whisper_operator.build.job_alerts import job_alerts
from whisper_operator.build.series import series_of


def test_a_service_without_jobs_has_none_of_them() -> None:
    of_jobs = {one.name for one in job_alerts(series_of(service()))}
    assert of_jobs
    assert of_jobs & {one.name for one in alerts(service())} == set()
    assert of_jobs <= {one.name for one in alerts(service(jobs={}))}
