"""Lines of the output and error files, in OpenAI's shape; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from whisper_runtime.service.batches.batch import LineAnswer
from whisper_runtime.service.batches.line import BatchLine

NotDone = Literal["batch_expired", "batch_cancelled"]
WHY_NOT: Final[Mapping[NotDone, str]] = {
    "batch_expired": "This request could not be done before the end of the batch's completion window.",
    "batch_cancelled": "The batch was cancelled before this request was done.",
}


def response_answer(batch_id: str, line: BatchLine, job_id: str, body: Any) -> LineAnswer:
    """The answer to a line whose job is done."""
    response = {"status_code": 200, "request_id": job_id, "body": body}
    return _answer(batch_id, line, response, None, is_error=False)


def error_answer(
    batch_id: str, line: BatchLine, status: int, error: Mapping[str, Any], job_id: str | None = None
) -> LineAnswer:
    """The answer to a line that failed with OpenAI's four fields of an error; `job_id` None: it has become no job."""
    request_id = job_id or _id(batch_id, line)
    response = {"status_code": status, "request_id": request_id, "body": {"error": dict(error)}}
    return _answer(batch_id, line, response, None, is_error=True)


def missing_answer(batch_id: str, line: BatchLine, code: NotDone) -> LineAnswer:
    """The answer to a line that was not done."""
    return _answer(batch_id, line, None, {"code": code, "message": WHY_NOT[code]}, is_error=True)


def _answer(batch_id: str, line: BatchLine, response: Any, error: Any, *, is_error: bool) -> LineAnswer:
    found = {"id": _id(batch_id, line), "custom_id": line.custom_id, "response": response, "error": error}
    return LineAnswer(line.number, json.dumps(found, ensure_ascii=False, separators=(",", ":")), is_error)


def _id(batch_id: str, line: BatchLine) -> str:
    return f"batch_req_{batch_id.partition('_')[2]}_{line.number}"
