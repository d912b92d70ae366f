"""One JSON object per line, with a request id, and nothing in it that is not for the log."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.runtime.conftest import Start, speech
from whisper_runtime import logs


@pytest.fixture
def stream(root_logger: None) -> Iterator[io.StringIO]:
    """Where the process logs to."""
    stream = io.StringIO()
    logs.configure("debug", "json", stream)
    logging.getLogger("httpx").propagate = False  # the test's own client
    yield stream
    logging.getLogger("httpx").propagate = True


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_the_keys_of_a_line(stream: io.StringIO) -> None:
    logging.getLogger("x").info("model %s", "base")
    [line] = _lines(stream)
    assert list(line) == ["timestamp", "level", "message", "module", "function", "line"]
    assert (line["level"], line["message"], line["module"]) == ("INFO", "model base", "test_logs")


def test_an_exception_stays_on_its_line(stream: io.StringIO) -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("x").exception("failed")
    [line] = _lines(stream)
    assert line["message"].startswith("failed\nTraceback")
    assert line["message"].endswith("ValueError: broken")


async def test_a_request_is_one_line_under_its_id(start: Start, stream: io.StringIO) -> None:
    answer = await start().post(
        "/transcribe?key=secret", files=speech(), headers={"X-Request-ID": "abc-1", "X-API-Key": "secret"}
    )
    [line] = [line for line in _lines(stream) if "request_id" in line]
    assert (answer.headers["x-request-id"], line["request_id"]) == ("abc-1", "abc-1")
    assert line["message"].startswith("POST /transcribe 200 in ")
    assert "secret" not in stream.getvalue()
    assert "Ask not" not in stream.getvalue()


async def test_a_path_cannot_begin_a_line_of_its_own(start: Start, stream: io.StringIO) -> None:
    logs.configure("debug", "text", stream)
    await start().get("/a%0d%0aCRITICAL")
    assert [line for line in stream.getvalue().splitlines() if line.startswith("CRITICAL")] == []


@pytest.mark.parametrize("asked", ["", "a b", "x" * 129, 'a"}\\n{"level'])
async def test_an_id_that_is_not_sane_is_replaced(start: Start, stream: io.StringIO, asked: str) -> None:
    answer = await start().get("/v1/models", headers={"X-Request-ID": asked})
    [line] = [line for line in _lines(stream) if "request_id" in line]
    assert line["request_id"] == answer.headers["x-request-id"] != asked


async def test_probes_are_logged_for_debugging_only(start: Start, stream: io.StringIO) -> None:
    await start().get("/health")
    [line] = [line for line in _lines(stream) if "request_id" in line]
    assert line["level"] == "DEBUG"
