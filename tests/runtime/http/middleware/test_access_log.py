"""Each request is one line in the log under its id, with nothing in it that is not for the log."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.runtime.conftest import Start, speech
from whisper_runtime import logs
from whisper_runtime.http.middleware.access_log import cause_of


def request_lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, stream.getvalue().splitlines()) if "request_id" in line]


async def test_a_request_is_one_line_under_its_id(start: Start, stream: io.StringIO) -> None:
    answer = await start().post(
        "/transcribe?key=secret", files=speech(), headers={"X-Request-ID": "abc-1", "X-API-Key": "secret"}
    )
    [line] = request_lines(stream)
    assert (answer.headers["x-request-id"], line["request_id"]) == ("abc-1", "abc-1")
    assert line["message"].startswith("POST /transcribe 200 in ")
    assert "secret" not in stream.getvalue()
    assert "Ask not" not in stream.getvalue()


async def test_a_path_cannot_begin_a_line_of_its_own(start: Start, stream: io.StringIO) -> None:
    logs.configure("debug", "text", stream)
    await start().get("/a%0d%0aCRITICAL")
    assert [line for line in stream.getvalue().splitlines() if line.startswith("CRITICAL")] == []


async def test_a_method_of_any_length_is_a_few_characters_in_the_log_and_in_the_answer(
    start: Start, stream: io.StringIO
) -> None:
    answers = [await start().request("X" * 60_000, path) for path in ("/v1/models", "/nowhere")]
    assert [answer.status_code for answer in answers] == [405, 404]
    assert all(len(answer.text) < 500 for answer in answers)
    assert all(len(line["message"]) < 200 for line in request_lines(stream))


@pytest.mark.parametrize("header", ["", "a b", "x" * 129, 'a"}\\n{"level'])
async def test_an_id_that_is_not_sane_is_replaced(start: Start, stream: io.StringIO, header: str) -> None:
    answer = await start().get("/v1/models", headers={"X-Request-ID": header})
    [line] = request_lines(stream)
    assert line["request_id"] == answer.headers["x-request-id"] != header


async def test_probes_are_logged_for_debugging_only(start: Start, stream: io.StringIO) -> None:
    await start().get("/health")
    [line] = request_lines(stream)
    assert line["level"] == "DEBUG"


@pytest.mark.parametrize(
    ("body", "code"),
    [(b'{"error": {"code": "queue_full"}}', "queue_full"), (b"", None), (b"[]", None), (b'{"error": {}}', None)],
)
def test_the_cause_of_an_error_is_the_code_in_its_body(body: bytes, code: str | None) -> None:
    assert cause_of(body) == code
