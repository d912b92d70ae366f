"""A job in the shape of OpenAI's objects, and each error of its routes."""

from __future__ import annotations

import pytest

from whisper_runtime.engine.transcription import Options
from whisper_runtime.http.job_body import as_http_error, failed, job_body, spec_of
from whisper_runtime.http.openai.lines import LineLimits
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.service.jobs.content import JobRequest
from whisper_runtime.service.jobs.door import JobProgress
from whisper_runtime.service.jobs.job import (
    ABANDONED,
    Job,
    JobGone,
    JobNotDone,
    JobStoreAway,
    JobStoreFull,
    KeyInUse,
    KeyReused,
    NoSuchJob,
)

SPEC = {"task": "transcribe", "response_format": "srt", "lines": {"max_line_width": 42}}
REQUEST = JobRequest(Options(), (), False, SPEC).to_json()


def test_times_are_whole_seconds_and_what_is_not_known_is_null() -> None:
    job = Job("key ann", REQUEST, 90.0, id="tr_1", created=7.9, metadata={"a": "b"})
    body = job_body(job, JobProgress(2, 10.1), None).model_dump()
    assert (body["created_at"], body["started_at"], body["expires_at"], body["error"]) == (7, None, None, None)
    assert body["progress"] == {
        "done_seconds": 0,
        "total_seconds": 90,
        "queue_position": 2,
        "eta_seconds": 11,
        "stage": None,
    }
    assert (body["status"], body["task"], body["response_format"]) == ("queued", "transcribe", "srt")


def test_the_response_that_was_asked_for_is_kept() -> None:
    wanted = ResponseSpec("transcribe", "srt", lines=LineLimits(max_line_width=42))
    assert spec_of(Job("key ann", REQUEST, 1.0)) == wanted


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (NoSuchJob("tr_1"), 404, "job_not_found"),
        (JobGone("it was deleted"), 410, "job_gone"),
        (JobNotDone("queued"), 409, "job_not_completed"),
        (KeyInUse(), 409, "idempotency_key_in_use"),
        (KeyReused("the key belongs to tr_1"), 422, "idempotency_key_reused"),
        (JobStoreFull("full: delete jobs"), 507, "job_store_full"),
        (JobStoreAway("at 192.0.2.7"), 503, "job_store_unavailable"),
    ],
)
def test_each_refusal_of_a_store_has_a_status_and_a_code(raised: Exception, status: int, code: str) -> None:
    error = as_http_error(raised)
    assert (error.status_code, error.body["code"]) == (status, code)


def test_the_error_of_a_job_is_that_of_who_waited_for_it() -> None:
    error = failed(Job("key ann", REQUEST, 1.0, state="failed", error=ABANDONED))
    assert (error.status_code, error.body) == (500, ABANDONED)
