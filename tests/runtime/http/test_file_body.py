"""Files in OpenAI's shapes, and the bounds of an upload."""

from __future__ import annotations

import io
from typing import Any

import pytest
from starlette.datastructures import UploadFile

from whisper_runtime.errors import HttpError
from whisper_runtime.http.file_body import LONGEST_KEPT, FileForm, checked_filename, file_body, kept_seconds, listed
from whisper_runtime.service.batches.file import StoredFile

FILE = StoredFile("file-1", "key ann", "batch", "a.jsonl", 7, 1000.9, 2000.9)


def form(name: str = "a.jsonl", size: int = 1, **expires: Any) -> FileForm:
    fields = {f"expires_after[{key}]": value for key, value in expires.items()}
    file = UploadFile(io.BytesIO(), size=size, filename=name)
    return FileForm.model_validate({"file": file, "purpose": "batch", **fields})


def test_a_file_is_seen_as_openais() -> None:
    body = file_body(FILE)
    assert (body.bytes, body.created_at, body.expires_at, body.status) == (7, 1000, 2000, "processed")


def test_a_list_names_its_ends() -> None:
    assert listed([], has_more=False) == {"data": [], "first_id": None, "last_id": None, "has_more": False}
    page = listed([file_body(FILE)], has_more=True)
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("file-1", "file-1", True)


def test_a_file_is_kept_for_thirty_days_unless_its_client_says_otherwise() -> None:
    assert kept_seconds(form()) == LONGEST_KEPT
    assert kept_seconds(form(anchor="created_at", seconds=3600)) == 3600
    halves: tuple[dict[str, Any], ...] = ({"anchor": "created_at"}, {"seconds": 3600})
    for half in halves:
        with pytest.raises(HttpError, match="send both or none"):
            kept_seconds(form(**half))


@pytest.mark.parametrize(("name", "size", "says"), [("a" * 256, 1, "256 characters"), ("a", 0, "is empty")])
def test_a_file_has_content_and_a_name_of_some_length(name: str, size: int, says: str) -> None:
    assert checked_filename(form("a" * 255)) == "a" * 255
    with pytest.raises(HttpError, match=says):
        checked_filename(form(name, size))
