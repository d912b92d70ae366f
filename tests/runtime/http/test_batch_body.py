"""Batches in OpenAI's shapes, and the windows that they may have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from whisper_runtime.errors import HttpError
from whisper_runtime.http.batch_body import (
    BatchRequest,
    as_batch_error,
    batch_body,
    batch_draft,
    not_a_batch_file,
    too_large,
    unknown_input,
    window_seconds,
)
from whisper_runtime.service.batches.batch import BatchState, LineFault, NoSuchBatch, StoredBatch
from whisper_runtime.service.batches.file import FileInUse, NoSuchFile

ENDPOINT = "/v1/audio/transcriptions"
BATCH = StoredBatch("key ann", ENDPOINT, "file-1", "24h", 86400, 3600, id="batch_1", created=1000.9, ended=2000.9)


@pytest.mark.parametrize(
    ("state", "field"),
    [(state, f"{state}_at") for state in ("completed", "failed", "expired", "cancelled")],
)
def test_the_end_of_a_batch_is_that_of_its_state(state: BatchState, field: str) -> None:
    body = batch_body(replace(BATCH, state=state), None).model_dump()
    ends = {name for name in ("completed_at", "failed_at", "expired_at", "cancelled_at") if body[name] is not None}
    assert (ends, body[field], body["created_at"]) == ({field}, 2000, 1000)


def test_faults_are_listed_as_errors() -> None:
    assert batch_body(BATCH, None).errors is None
    body = batch_body(replace(BATCH, faults=(LineFault("a", "b", "c", 4),)), None).model_dump()
    assert body["errors"] == {"object": "list", "data": [{"code": "a", "message": "b", "param": "c", "line": 4}]}


def test_metadata_is_null_where_there_is_none() -> None:
    assert batch_body(BATCH, None).metadata is None
    assert batch_body(replace(BATCH, metadata={"a": "b"}), None).metadata == {"a": "b"}


@pytest.mark.parametrize(("window", "seconds"), [("1h", 3600), ("24h", 86400), ("168h", 604800), ("7d", 604800)])
def test_windows(window: str, seconds: int) -> None:
    assert window_seconds(window) == seconds


@pytest.mark.parametrize("window", ["", "24", "h", "0h", "169h", "8d", "1.5h", "24H", "1000h", "24h "])
def test_what_is_no_window(window: str) -> None:
    with pytest.raises(HttpError, match="from 1h to 7d"):
        window_seconds(window)


def test_answers_are_kept_as_results_are_unless_the_client_says_otherwise() -> None:
    wanted = {"input_file_id": "file-1", "endpoint": ENDPOINT, "completion_window": "24h"}
    assert batch_draft("key ann", BatchRequest.model_validate(wanted), 600.0, None).keep_seconds == 600.0
    wanted["output_expires_after"] = {"anchor": "created_at", "seconds": 3600}  # pyright: ignore[reportArgumentType]
    assert batch_draft("key ann", BatchRequest.model_validate(wanted), 600.0, None).keep_seconds == 3600


def test_errors_name_the_remedy() -> None:
    found = [as_batch_error(error) for error in (NoSuchFile("file-1"), FileInUse("batch_1"), NoSuchBatch("batch_1"))]
    assert [error.status_code for error in found] == [404, 409, 404]
    assert "batch_1" in str(found[1].body["message"])
    for error in (not_a_batch_file("user_data"), unknown_input("file-1"), too_large(3, 2)):
        assert error.body["param"] == "input_file_id"
