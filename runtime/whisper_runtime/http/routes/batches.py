"""Batches: each line of a file is a request that becomes a job, and the answers are files again."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request

from whisper_runtime.http.batch_body import (
    BatchBody,
    BatchListBody,
    BatchRequest,
    batch_body,
    batch_draft,
    not_a_batch_file,
    too_large,
    unknown_input,
)
from whisper_runtime.http.dependencies import BatchesDep, JobsDep
from whisper_runtime.http.file_body import listed
from whisper_runtime.http.openapi import READING, refusals
from whisper_runtime.http.request_state import state_of
from whisper_runtime.http.webhook_field import checked_webhook
from whisper_runtime.service.batches.batch import StoredBatch
from whisper_runtime.service.batches.door import BatchDoor
from whisper_runtime.service.batches.file import NoSuchFile
from whisper_runtime.service.batches.line import MOST_FILE_BYTES

BATCHES_PATH: Final = "/v1/batches"
LONGEST_ID: Final = 64
MOST_LISTED: Final = 100
OF_A_BATCH: Final = READING | refusals(404)

router = APIRouter(prefix=BATCHES_PATH)

BatchLimit = Annotated[int, Query(ge=1, le=MOST_LISTED)]
AfterBatch = Annotated[str | None, Query(max_length=LONGEST_ID)]


@router.post("", response_model=BatchBody, responses=READING | refusals(400, 404, 408, 413, 503, 507))
async def create_batch(request: Request, batches: BatchesDep, jobs: JobsDep, body: BatchRequest) -> BatchBody:
    """Takes in a batch; its file is checked next, and its lines are begun where nothing is wrong with it."""
    client = state_of(request.scope).client
    try:
        file = await batches.store.file(client, body.input_file_id)
    except NoSuchFile as error:
        raise unknown_input(body.input_file_id) from error
    if file.purpose != "batch":
        raise not_a_batch_file(file.purpose)
    if file.size > MOST_FILE_BYTES:
        raise too_large(file.size, MOST_FILE_BYTES)
    webhook_url = await checked_webhook(body.webhook_url, jobs)
    return batch_body(await batches.create(batch_draft(client, body, batches.keep_seconds, webhook_url)), None)


@router.get("", response_model=BatchListBody, responses=READING | refusals(400, 404))
async def list_batches(
    request: Request, batches: BatchesDep, after: AfterBatch = None, limit: BatchLimit = 20
) -> BatchListBody:
    """The client's batches, newest first: those older than `after`."""
    page = await batches.store.batch_page(state_of(request.scope).client, after=after, limit=limit)
    bodies = [await _body(batches, batch) for batch in page.batches]
    return BatchListBody(**listed(bodies, has_more=page.has_more))


@router.get("/{batch_id}", response_model=BatchBody, responses=OF_A_BATCH)
async def get_batch(request: Request, batches: BatchesDep, batch_id: str) -> BatchBody:
    return await _body(batches, await batches.store.batch(state_of(request.scope).client, batch_id[:LONGEST_ID]))


@router.post("/{batch_id}/cancel", response_model=BatchBody, responses=OF_A_BATCH)
async def cancel_batch(request: Request, batches: BatchesDep, batch_id: str) -> BatchBody:
    """Ends the batch, unless it has ended; answers that are there are kept."""
    batch = await batches.store.cancel_batch(state_of(request.scope).client, batch_id[:LONGEST_ID])
    return await _body(batches, batch)


async def _body(batches: BatchDoor, batch: StoredBatch) -> BatchBody:
    return batch_body(batch, await batches.delivery(batch))
