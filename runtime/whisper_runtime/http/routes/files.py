"""The files of a client, for batches: their lines, the recordings that these name, and the answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import IO, Annotated, Any, Final, Literal

import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from whisper_runtime.http.dependencies import BatchesDep
from whisper_runtime.http.file_body import (
    DeletedFileBody,
    FileBody,
    FileForm,
    FileListBody,
    Multipart,
    checked_filename,
    file_body,
    kept_seconds,
    listed,
)
from whisper_runtime.http.openapi import READING, refusals
from whisper_runtime.http.request_state import state_of
from whisper_runtime.service.batches.file import FileDraft, FilePurpose

FILES_PATH: Final = "/v1/files"
LONGEST_ID: Final = 64
MOST_LISTED: Final = 10_000
OF_A_FILE: Final = READING | refusals(404)
BLOCK_BYTES: Final = 256 * 1024
CONTENT: Final[dict[str, Any]] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}

router = APIRouter(prefix=FILES_PATH)

FileLimit = Annotated[int, Query(ge=1, le=MOST_LISTED)]
AfterFile = Annotated[str | None, Query(max_length=LONGEST_ID)]


@router.post("", response_model=FileBody, responses=READING | refusals(400, 408, 413, 503, 507))
async def upload_file(request: Request, batches: BatchesDep, form: Annotated[FileForm, Multipart]) -> FileBody:
    """Keeps a file until it is deleted or expires."""
    client, name = state_of(request.scope).client, checked_filename(form)
    draft = FileDraft(client, form.purpose, name, kept_seconds(form))
    return file_body(await batches.store.put_file(draft, form.file.file))


@router.get("", response_model=FileListBody, responses=READING | refusals(400, 404))
async def list_files(
    request: Request,
    batches: BatchesDep,
    after: AfterFile = None,
    limit: FileLimit = MOST_LISTED,
    order: Literal["asc", "desc"] = "desc",
    purpose: FilePurpose | None = None,
) -> FileListBody:
    """The client's files, newest first unless `order` is `asc`: those behind `after`."""
    client, is_oldest_first = state_of(request.scope).client, order == "asc"
    page = await batches.store.file_page(
        client, after=after, limit=limit, purpose=purpose, oldest_first=is_oldest_first
    )
    return FileListBody(**listed(list(map(file_body, page.files)), has_more=page.has_more))


@router.get("/{file_id}", response_model=FileBody, responses=OF_A_FILE)
async def get_file(request: Request, batches: BatchesDep, file_id: str) -> FileBody:
    return file_body(await batches.store.file(state_of(request.scope).client, file_id[:LONGEST_ID]))


@router.get("/{file_id}/content", response_class=Response, responses=OF_A_FILE | {200: {"content": CONTENT}})
async def get_file_content(request: Request, batches: BatchesDep, file_id: str) -> Response:
    """The file, byte for byte."""
    client = state_of(request.scope).client
    file = await batches.store.file(client, file_id[:LONGEST_ID])
    content = await batches.store.open_file(client, file.id)
    headers = {"content-length": str(file.size), "x-content-type-options": "nosniff"}
    return StreamingResponse(_blocks(content), headers=headers, media_type="application/octet-stream")


@router.delete("/{file_id}", response_model=DeletedFileBody, responses=OF_A_FILE | refusals(409))
async def delete_file(request: Request, batches: BatchesDep, file_id: str) -> DeletedFileBody:
    """Deletes the file, unless a batch that has not ended needs its lines."""
    await batches.store.delete_file(state_of(request.scope).client, file_id[:LONGEST_ID])
    return DeletedFileBody(id=file_id)


async def _blocks(content: IO[bytes]) -> AsyncIterator[bytes]:
    with content:
        while block := await anyio.to_thread.run_sync(content.read, BLOCK_BYTES):
            yield block
