"""Batches as clients see them, in OpenAI's shapes, and the errors that the routes of files and batches have."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from whisper_runtime.errors import HttpError, error_response, invalid_value
from whisper_runtime.http.file_body import KeepSeconds
from whisper_runtime.http.job_body import WebhookBody, webhook_body
from whisper_runtime.http.openai.forms import WebhookUrl
from whisper_runtime.http.openai.resolved_form import TRANSCRIPTIONS_PATH, TRANSLATIONS_PATH
from whisper_runtime.service.batches.batch import BatchDraft, BatchState, NoSuchBatch, StoredBatch
from whisper_runtime.service.batches.file import FileInUse, NoSuchFile
from whisper_runtime.service.jobs.outbox import Delivery

MOST_METADATA: Final = 16
WINDOW: Final = re.compile(r"([1-9][0-9]{0,2})([hd])")
LONGEST_WINDOW: Final = 7 * 24 * 3600
assert (TRANSCRIPTIONS_PATH, TRANSLATIONS_PATH) == ("/v1/audio/transcriptions", "/v1/audio/translations")
BatchEndpoint = Literal["/v1/audio/transcriptions", "/v1/audio/translations"]
MetadataName = Annotated[str, Field(min_length=1, max_length=64)]
MetadataValue = Annotated[str, Field(max_length=512)]


class OutputExpiry(BaseModel):
    anchor: Literal["created_at"]
    seconds: KeepSeconds


class BatchRequest(BaseModel):
    """The body of `POST /v1/batches`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input_file_id: Annotated[str, Field(max_length=64)]
    endpoint: BatchEndpoint
    completion_window: Annotated[str, Field(max_length=8)]
    """Hours or days, from `1h` to `7d`: `24h`."""
    metadata: Annotated[dict[MetadataName, MetadataValue], Field(max_length=MOST_METADATA)] | None = None
    output_expires_after: OutputExpiry | None = None
    webhook_url: WebhookUrl | None = None
    """The address that is sent an event once the batch has ended; this server's addition."""


class BatchFaultBody(BaseModel):
    code: str
    line: int | None
    message: str
    param: str | None


class BatchFaultsBody(BaseModel):
    object: Literal["list"] = "list"
    data: list[BatchFaultBody]


class RequestCountsBody(BaseModel):
    total: int
    completed: int
    failed: int


class BatchBody(BaseModel):
    """A batch; times are Unix times in seconds, null: not yet, or never."""

    id: str
    object: Literal["batch"] = "batch"
    endpoint: str
    errors: BatchFaultsBody | None
    """Why it failed: what is wrong with its file."""
    input_file_id: str
    completion_window: str
    status: BatchState
    output_file_id: str | None
    error_file_id: str | None
    created_at: int
    in_progress_at: int | None
    expires_at: int
    """The end of its completion window."""
    finalizing_at: int | None
    completed_at: int | None
    failed_at: int | None
    expired_at: int | None
    cancelling_at: int | None
    cancelled_at: int | None
    request_counts: RequestCountsBody
    metadata: dict[str, str] | None
    webhook: WebhookBody | None
    """This server's addition; null: the request had no `webhook_url`."""


class BatchListBody(BaseModel):
    object: Literal["list"] = "list"
    data: list[BatchBody]
    first_id: str | None
    last_id: str | None
    has_more: bool


def batch_draft(client: str, body: BatchRequest, keep_seconds: float, webhook_url: str | None) -> BatchDraft:
    """Raises HttpError (400) for a window that is none. `keep_seconds`: of answers, unless the body says it.

    `webhook_url` is the body's, checked.
    """
    keep = body.output_expires_after.seconds if body.output_expires_after else keep_seconds
    window = body.completion_window
    return BatchDraft(
        client,
        body.endpoint,
        body.input_file_id,
        window,
        window_seconds(window),
        keep,
        body.metadata or {},
        webhook_url,
    )


def window_seconds(window: str) -> int:
    """Raises HttpError (400)."""
    found = WINDOW.fullmatch(window)
    seconds = int(found[1]) * (3600 if found[2] == "h" else 24 * 3600) if found else 0
    if not 0 < seconds <= LONGEST_WINDOW:
        message = f"`completion_window` is {window!r}: it should be hours or days, from 1h to 7d, such as 24h."
        raise invalid_value("completion_window", message)
    return seconds


def batch_body(batch: StoredBatch, delivery: Delivery | None) -> BatchBody:
    """`delivery` is of the event of the batch's end; None: it has none (yet)."""

    def at(state: BatchState) -> int | None:
        return _whole(batch.ended) if batch.state == state else None

    faults = [
        BatchFaultBody(code=one.code, line=one.line, message=one.message, param=one.param) for one in batch.faults
    ]
    return BatchBody(
        id=batch.id,
        endpoint=batch.endpoint,
        errors=BatchFaultsBody(data=faults) if faults else None,
        input_file_id=batch.input_file,
        completion_window=batch.window,
        status=batch.state,
        output_file_id=batch.output_file,
        error_file_id=batch.error_file,
        created_at=int(batch.created),
        in_progress_at=_whole(batch.began),
        expires_at=int(batch.expires),
        finalizing_at=_whole(batch.finalizing),
        completed_at=at("completed"),
        failed_at=at("failed"),
        expired_at=at("expired"),
        cancelling_at=_whole(batch.cancelling),
        cancelled_at=at("cancelled"),
        request_counts=RequestCountsBody(total=batch.total, completed=batch.completed, failed=batch.failed),
        metadata=dict(batch.metadata) or None,
        webhook=None if batch.webhook_url is None else webhook_body(batch.webhook_url, delivery),
    )


def answer_for_batches(app: FastAPI) -> None:
    """Gives what a store of files and batches raises OpenAI's error body; answer_for_jobs has the rest."""
    for raised in (NoSuchFile, FileInUse, NoSuchBatch):
        app.add_exception_handler(raised, _batch_error)


async def _batch_error(_: Request, error: Exception) -> JSONResponse:
    return error_response(as_batch_error(error))


def as_batch_error(error: Exception) -> HttpError:
    """The response to what a store of files and batches raises."""
    match error:
        case NoSuchFile():
            message = "You have no file of this id: GET /v1/files lists those that you have."
            return HttpError(404, message, code="file_not_found")
        case FileInUse():
            message = f"The batch {error} has not ended, and needs the file: cancel it first, or delete the file later."
            return HttpError(409, message, code="file_in_use")
        case _:
            message = "You have no batch of this id: GET /v1/batches lists those that you have."
            return HttpError(404, message, code="batch_not_found")


def _whole(moment: float | None) -> int | None:
    return None if moment is None else int(moment)


def unknown_input(file_id: str) -> HttpError:
    """404 for a batch whose file the client has not."""
    message = f"`input_file_id` is {file_id!r}, and you have no file of this id: upload it first, with purpose=batch."
    return HttpError(404, message, param="input_file_id", code="file_not_found")


def not_a_batch_file(purpose: str) -> HttpError:
    message = f"`input_file_id` names a file whose purpose is '{purpose}': upload the lines with purpose=batch."
    return invalid_value("input_file_id", message)


def too_large(size: int, most: int) -> HttpError:
    message = f"`input_file_id` names a file of {size} bytes, and a batch's may have {most}: make several batches."
    return invalid_value("input_file_id", message)
