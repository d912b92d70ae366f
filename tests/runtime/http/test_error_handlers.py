"""Every refusal has OpenAI's body, and the server stays up."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
from typing import Any

import pytest
from starlette import formparsers

from tests.fakes.engine import SPOKEN, FakeEngine
from tests.runtime.conftest import Start, speech


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/chat/completions", 404, "unknown_url"),
        ("GET", "/transcribe", 405, "method_not_supported"),
        ("POST", "/v1/models", 405, "method_not_supported"),
        ("POST", "/v1/audio/transcriptions/", 404, "unknown_url"),  # no redirect, which would lose the body
        ("GET", "/v1/models/", 404, "unknown_url"),
    ],
)
async def test_unknown_routes_and_methods(start: Start, method: str, path: str, status: int, code: str) -> None:
    answer = await start().request(method, path)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert set(error) == {"message", "type", "param", "code"}
    assert method in error["message"]


async def test_a_body_that_is_no_form_is_told_what_to_send(start: Start) -> None:
    answer = await start().post("/transcribe", json={"file": "a.wav"})
    assert answer.status_code == 400
    assert "multipart/form-data" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("content_type", "says"),
    [
        (
            "application/json; charset=utf-8",
            "The request's body is of the type 'application/json', and a form is needed",
        ),
        ("audio/wav", "The request's body is of the type 'audio/wav', and a form is needed"),
        (None, "The request's body has no Content-Type, and a form is needed"),
    ],
)
async def test_a_body_of_another_kind_is_no_form_without_a_model(
    start: Start, content_type: str | None, says: str
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    answer = await start().post("/v1/audio/transcriptions", content=b'{"model": "base"}', headers=headers)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "invalid_form")
    assert error["message"].startswith(says)


async def test_audio_without_a_files_name_is_told_what_it_lacks(start: Start) -> None:
    answer = await start().post("/transcribe", data={"file": "x" * 70_000}, files={"other": b""})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "field_too_long")
    assert "needs a `filename`" in error["message"]


async def test_a_broken_form(start: Start) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = await start().post("/transcribe", content=b"--y nonsense", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_form")


async def test_two_files(start: Start) -> None:
    answer = await start().post("/transcribe", files=[("file", b"speech"), ("file", b"speech")])
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, "file", "too_many_files")


async def test_too_many_fields(start: Start) -> None:
    answer = await start().post("/transcribe", files=speech(), data={f"a{number}": "" for number in range(129)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "too_many_fields")
    assert "more than 128 fields" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("request_of", "status", "retried"),
    [
        ({"method": "POST", "url": "/transcribe"}, 400, False),
        ({"method": "GET", "url": "/v1/models/gpt-4"}, 404, False),
        ({"method": "GET", "url": "/transcribe"}, 405, False),
        ({"method": "POST", "url": "/transcribe", "content": b"." * 2000}, 413, False),
        ({"method": "POST", "url": "/transcribe", "files": speech(60)}, 429, True),
    ],
)
async def test_a_client_is_told_where_trying_again_cannot_help(
    start: Start, engine: FakeEngine, request_of: dict[str, Any], status: int, retried: bool
) -> None:
    engine.queued_audio_seconds = 100
    client = start(max_upload_bytes=1000, max_queued_audio_seconds=120)
    answer = await client.request(**request_of)
    assert answer.status_code == status
    assert answer.headers.get("x-should-retry") == (None if retried else "false")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
async def test_an_upload_for_which_the_disk_has_no_room_is_503_and_not_the_clients_fault(
    start: Start, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    class FullFile(tempfile.SpooledTemporaryFile[bytes]):
        def write(self, _: object) -> int:
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(formparsers, "SpooledTemporaryFile", FullFile)
    answer = await start(requests_per_minute=5).post("/transcribe", files=speech())
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "scratch_full")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["x-ratelimit-remaining-requests"] == "5"


async def test_a_bug_is_500_without_details_and_not_repeated(
    start: Start, engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.answer = RuntimeError("tensor a (6) must match b (3)")
    client = start()
    answer = await client.post("/transcribe", files=speech())
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal_error")
    assert answer.headers["x-should-retry"] == "false"
    assert "tensor" not in answer.text
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "tensor a (6) must match b (3)" in (record.exc_text or "")

    engine.answer = SPOKEN
    assert (await client.post("/transcribe", files=speech())).status_code == 200
