"""The log has one JSON object per line."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from whisper_runtime import logs


@pytest.fixture
def stream(root_logger: None) -> io.StringIO:
    """The log of the process."""
    stream = io.StringIO()
    logs.configure("debug", "json", stream)
    return stream


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


def test_a_line_of_a_request_has_its_id(stream: io.StringIO) -> None:
    token = logs.request_id.set("abc-1")
    logging.getLogger("x").info("within")
    logs.request_id.reset(token)
    logging.getLogger("x").info("outside")
    within, outside = _lines(stream)
    assert within["request_id"] == "abc-1"
    assert "request_id" not in outside
