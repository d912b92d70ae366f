"""Lines of the files of answers, in OpenAI's shape."""

from __future__ import annotations

import json

from whisper_runtime.service.batches.answer import error_answer, missing_answer, response_answer
from whisper_runtime.service.batches.line import BatchLine

LINE = BatchLine(7, "Straße \u2028", {})
ERROR = {"message": "no", "type": "invalid_request_error", "param": "file", "code": "not_audio"}


def test_a_transcription() -> None:
    answer = response_answer("batch_1", LINE, "tr_1", {"text": "Grüße"})
    assert (answer.line, answer.is_error, "\n" in answer.text) == (7, False, False)
    assert json.loads(answer.text) == {
        "id": "batch_req_1_7",
        "custom_id": "Straße \u2028",
        "response": {"status_code": 200, "request_id": "tr_1", "body": {"text": "Grüße"}},
        "error": None,
    }


def test_an_error() -> None:
    answer = error_answer("batch_1", LINE, 400, ERROR)
    assert answer.is_error
    response = json.loads(answer.text)["response"]
    assert response == {"status_code": 400, "request_id": "batch_req_1_7", "body": {"error": ERROR}}
    assert json.loads(error_answer("batch_1", LINE, 400, ERROR, "tr_1").text)["response"]["request_id"] == "tr_1"


def test_a_line_that_was_not_done() -> None:
    answer = missing_answer("batch_1", LINE, "batch_expired")
    found = json.loads(answer.text)
    assert (answer.is_error, found["response"], found["error"]["code"]) == (True, None, "batch_expired")
    assert "completion window" in found["error"]["message"]
