"""What a job takes of the store, and how its files are called."""

from __future__ import annotations

from tests.runtime.service.jobs.conftest import draft
from whisper_runtime.service.jobs.job import JobLease
from whisper_runtime.service.jobs.rows import (
    RESULT_BYTES_PER_SECOND,
    ROW_BYTES,
    audio_name,
    result_name,
    size_of,
    values_of,
)


def test_room_is_kept_for_the_result_until_it_is_there() -> None:
    job = draft(seconds=100.0)
    assert size_of(job, 5000) == ROW_BYTES + len(job.request) + 5000 + 100 * RESULT_BYTES_PER_SECOND
    assert size_of(job, 0, 700) == ROW_BYTES + len(job.request) + 700


def test_two_claims_of_one_job_have_results_of_their_own() -> None:
    assert audio_name("tr_1") == "tr_1.audio"
    assert result_name(JobLease("tr_1", 1)) != result_name(JobLease("tr_1", 2))


def test_metadata_is_json_in_its_row() -> None:
    assert values_of(draft(metadata={"a": "é"}))["metadata"] == '{"a": "\\u00e9"}'
