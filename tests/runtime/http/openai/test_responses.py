"""A field that may be absent is left out, and never null."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from whisper_runtime.http.openai import responses
from whisper_runtime.http.openai.responses import TextDone, TokenUsage, TranscriptionJson, TranscriptionVerbose, Usage

BODIES = [body for body in vars(responses).values() if getattr(body, "__module__", "") == responses.__name__]
NULLABLE = {("ModelBody", "digest"), ("Problem", "param"), ("Problem", "code")}
"""The fields for which OpenAI's API, or this server's addition to it, has null."""


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.__name__)
def test_no_schema_has_null_for_a_field_that_may_be_absent(body: type[BaseModel]) -> None:
    properties: dict[str, Any] = body.model_json_schema(mode="serialization").get("properties", {})
    nullable = {
        (body.__name__, name) for name, field in properties.items() if {"type": "null"} in field.get("anyOf", ())
    }
    assert nullable <= NULLABLE


def test_absent_fields_are_left_out() -> None:
    usage = Usage(seconds=3)
    assert TranscriptionJson(text="a", usage=usage).model_dump(exclude_none=True).keys() == {"text", "usage"}
    verbose = TranscriptionVerbose(task="transcribe", language="english", duration=2.5, text="a", usage=usage)
    assert not {"words", "segments"} & verbose.model_dump(exclude_none=True).keys()


def test_an_event_names_its_type() -> None:
    usage = TokenUsage(input_tokens=50, output_tokens=1, total_tokens=51)
    assert TextDone(text="a", usage=usage).model_dump(exclude_none=True) == {
        "type": "transcript.text.done",
        "text": "a",
        "usage": {"type": "tokens", "input_tokens": 50, "output_tokens": 1, "total_tokens": 51},
    }
