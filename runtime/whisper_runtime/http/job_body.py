"""A job as clients see it, and the errors that its routes have."""

from __future__ import annotations

import math
from typing import Any, Final, Literal

from fastapi import FastAPI
from pydantic import BaseModel, TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse

from whisper_runtime.errors import HttpError, error_response, retry_after, too_many_requests, unavailable
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.service.jobs.content import JobRequest
from whisper_runtime.service.jobs.door import JobProgress, TakesJobs
from whisper_runtime.service.jobs.job import (
    Job,
    JobGone,
    JobNotDone,
    JobQuotaReached,
    JobStage,
    JobState,
    JobStoreAway,
    JobStoreFull,
    KeyInUse,
    KeyReused,
    NoSuchJob,
)
from whisper_runtime.service.jobs.outbox import Delivery, DeliveryState

RESPONSE_SPEC: Final = TypeAdapter(ResponseSpec)
STORE_ERRORS: Final = (NoSuchJob, JobGone, JobNotDone, KeyReused, JobStoreFull, JobStoreAway, KeyInUse)
"""What a store of jobs raises that is the same to every client."""


class ProgressBody(BaseModel):
    done_seconds: float
    """Seconds of audio that are transcribed, and searched for speakers where they are asked for."""
    total_seconds: float
    queue_position: int | None
    """Jobs that are begun before this one; null: it is not queued."""
    eta_seconds: int | None
    """Seconds until its end, at the present speed; null: it has ended."""
    stage: JobStage | None
    """What it does: `transcribing`, with the search for speakers beside it where they are asked for, or `speakers`:
    what is left of that search. Null: it is not in progress, or another process of the same store has it."""


class JobErrorBody(BaseModel):
    message: str
    type: str
    param: str | None
    code: str | None


class WebhookBody(BaseModel):
    """The event that says how the job or the batch ended."""

    url: str
    status: DeliveryState | None
    """Null: it has not ended."""
    event: str | None
    """Such as transcription.completed, or batch.completed."""
    attempts: int
    next_attempt_at: int | None
    """Null: there is none."""
    last_error: str | None
    """Why the last attempt failed; null: none did."""


class JobBody(BaseModel):
    """A job; times are Unix times in seconds, null: not yet."""

    id: str
    object: Literal["audio.transcription"] = "audio.transcription"
    status: JobState
    task: str
    response_format: str
    created_at: int
    started_at: int | None
    ended_at: int | None
    expires_at: int | None
    """When its result is deleted."""
    attempts: int
    audio_seconds: float
    progress: ProgressBody
    error: JobErrorBody | None
    metadata: dict[str, str]
    model: str | None
    """The model that runs it, or has run it: all of the job runs on one."""
    webhook: WebhookBody | None
    """Null: the request had no `webhook_url`."""


class JobListBody(BaseModel):
    object: Literal["list"] = "list"
    data: list[JobBody]
    first_id: str | None
    last_id: str | None
    has_more: bool


class DeletedJobBody(BaseModel):
    id: str
    object: Literal["audio.transcription.deleted"] = "audio.transcription.deleted"
    deleted: Literal[True] = True


def job_body(job: Job, progress: JobProgress, delivery: Delivery | None) -> JobBody:
    """`delivery` is of the job's last event; None: it has none (yet)."""
    spec = spec_of(job)
    return JobBody(
        id=job.id,
        status=job.state,
        task=spec.task,
        response_format=spec.response_format,
        created_at=int(job.created),
        started_at=_whole(job.started),
        ended_at=_whole(job.ended),
        expires_at=_whole(job.expires),
        attempts=job.attempt,
        audio_seconds=job.audio_seconds,
        progress=ProgressBody(
            done_seconds=job.done_seconds,
            total_seconds=job.audio_seconds,
            queue_position=progress.jobs_ahead,
            eta_seconds=None if progress.seconds_left is None else math.ceil(progress.seconds_left),
            stage=progress.stage,
        ),
        error=None if job.error is None else JobErrorBody.model_validate(job.error),
        metadata=dict(job.metadata),
        model=job.model,
        webhook=None if job.webhook_url is None else webhook_body(job.webhook_url, delivery),
    )


def webhook_body(url: str, delivery: Delivery | None) -> WebhookBody:
    if delivery is None:
        return WebhookBody(url=url, status=None, event=None, attempts=0, next_attempt_at=None, last_error=None)
    return WebhookBody(
        url=url,
        status=delivery.state,
        event=delivery.type,
        attempts=delivery.attempt,
        next_attempt_at=int(delivery.due) if delivery.state == "pending" else None,
        last_error=delivery.failure,
    )


def spec_of(job: Job) -> ResponseSpec:
    """The response that the job's client asked for."""
    return RESPONSE_SPEC.validate_python(JobRequest.from_json(job.request).response)


def answer_for_jobs(app: FastAPI) -> None:
    """Gives what a store of jobs raises OpenAI's error body."""
    for raised in STORE_ERRORS:
        app.add_exception_handler(raised, _job_error)
    app.add_exception_handler(JobQuotaReached, _quota_reached)


async def _job_error(_: Request, error: Exception) -> JSONResponse:
    return error_response(as_http_error(error))


async def _quota_reached(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, JobQuotaReached)
    door: TakesJobs = request.app.state.jobs
    return error_response(over_quota(error, door.speed))


def over_quota(error: JobQuotaReached, speed: float) -> HttpError:
    """429; `speed`: seconds of audio that are transcribed in a second."""
    return too_many_requests(str(error), "job_quota_reached", retry_after(error.excess, speed))


def as_http_error(error: Exception) -> HttpError:
    """The response to what a store of jobs raises."""
    match error:
        case NoSuchJob():
            message = "You have no job of this id: GET /v1/audio/transcriptions lists those that you have."
            return HttpError(404, message, code="job_not_found")
        case JobGone():
            return HttpError(410, f"The job is gone: {error}.", code="job_gone")
        case JobNotDone():
            message = f"The job is {error}, and has no content: GET it without /content for what it is about."
            return HttpError(409, message, code="job_not_completed")
        case JobStoreAway():
            message = "The server cannot reach its store of jobs now: send this again in a few seconds."
            return unavailable(message, "job_store_unavailable", 5)
        case KeyInUse():
            message = "`Idempotency-Key`: another request with this key is being received: send this one again later."
            return HttpError(409, message, code="idempotency_key_in_use", headers={"Retry-After": "1"})
        case KeyReused():
            message = f"`Idempotency-Key`: {error}: send a key of its own with each request."
            return HttpError(422, message, code="idempotency_key_reused")
        case _:
            return HttpError(507, str(error), code="job_store_full")


def failed(job: Job) -> HttpError:
    """The response to a client that waited for a job which has failed."""
    error: dict[str, Any] = dict(job.error or {})
    return HttpError(500, error["message"], code=error["code"], param=error["param"], kind=error["type"])


def _whole(moment: float | None) -> int | None:
    return None if moment is None else int(moment)
