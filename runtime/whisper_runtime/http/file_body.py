"""Files as clients see them, in OpenAI's shapes."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import Form, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from whisper_runtime.errors import HttpError, invalid_value
from whisper_runtime.http.openai.responses import Absent
from whisper_runtime.service.batches.file import FilePurpose, StoredFile, UploadPurpose

SHORTEST_KEPT, LONGEST_KEPT = 3600, 30 * 24 * 3600
"""OpenAI's bounds of `expires_after`, in seconds."""
LONGEST_FILENAME: Final = 255

KeepSeconds = Annotated[int, Field(ge=SHORTEST_KEPT, le=LONGEST_KEPT)]


class FileForm(BaseModel):
    """The form of `POST /v1/files`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    file: UploadFile
    purpose: UploadPurpose
    """`batch` for the lines of a batch, `user_data` for a recording that such a line names."""
    anchor: Literal["created_at"] | Absent = Field(default=None, alias="expires_after[anchor]")
    keep_seconds: KeepSeconds | Absent = Field(default=None, alias="expires_after[seconds]")
    """Seconds after which the file is deleted; without it 30 days."""


Multipart: Final = Form(media_type="multipart/form-data")


class FileBody(BaseModel):
    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int
    expires_at: int
    filename: str
    purpose: FilePurpose
    status: Literal["processed"] = "processed"


class FileListBody(BaseModel):
    object: Literal["list"] = "list"
    data: list[FileBody]
    first_id: str | None
    last_id: str | None
    has_more: bool


class DeletedFileBody(BaseModel):
    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True


def file_body(file: StoredFile) -> FileBody:
    return FileBody(
        id=file.id,
        bytes=file.size,
        created_at=int(file.created),
        expires_at=int(file.expires),
        filename=file.filename,
        purpose=file.purpose,
    )


def listed(bodies: list[Any], *, has_more: bool) -> dict[str, Any]:
    """OpenAI's fields of a list."""
    first, last = (bodies[0].id, bodies[-1].id) if bodies else (None, None)
    return {"data": bodies, "first_id": first, "last_id": last, "has_more": has_more}


def kept_seconds(form: FileForm) -> int:
    """For how long the file is kept; raises HttpError (400) for one of `expires_after`'s fields alone."""
    if (form.anchor is None) != (form.keep_seconds is None):
        message = "`expires_after` needs `anchor`, which is 'created_at', and `seconds`: send both or none."
        raise invalid_value("expires_after", message)
    return form.keep_seconds or LONGEST_KEPT


def checked_filename(form: FileForm) -> str:
    """The name of the uploaded file; raises HttpError (400) where it is too long, or the file is empty."""
    name = form.file.filename or ""
    if form.file.size == 0:
        raise HttpError(400, "The file is empty: send one with content.", param="file", code="empty_file")
    if len(name) > LONGEST_FILENAME:
        message = f"The file's name has {len(name)} characters, and may have {LONGEST_FILENAME}: shorten it."
        raise HttpError(400, message, param="file", code="invalid_value")
    return name
