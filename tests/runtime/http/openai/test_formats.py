"""A transcription in each of OpenAI's formats."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import BaseModel

from tests.fakes.engine import MULTILINGUAL, SEGMENT, SPOKEN
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.http.openai.formats import openai_body, plain_body, usage
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.service.model_info import ServedModel

MODEL = ServedModel(RuntimeConfig(model="base"), MULTILINGUAL).info


@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        (ResponseSpec("transcribe"), {"text", "usage"}),
        (ResponseSpec("transcribe", logprobs=True), {"text", "usage", "logprobs"}),
        (
            ResponseSpec("transcribe", "verbose_json"),
            {"task", "language", "duration", "text", "segments", "usage"},
        ),
        (
            ResponseSpec("transcribe", "verbose_json", segments=False, words=True),
            {"task", "language", "duration", "text", "words", "usage"},
        ),
        (ResponseSpec("translate"), {"text"}),
        (ResponseSpec("translate", "verbose_json"), {"task", "language", "duration", "text", "segments"}),
    ],
)
def test_json_has_the_fields_of_its_format(spec: ResponseSpec, fields: set[str]) -> None:
    body = openai_body(SPOKEN, spec, MODEL)
    assert isinstance(body, BaseModel)
    assert body.model_dump(exclude_none=True).keys() == fields


@pytest.mark.parametrize(("task", "language"), [("transcribe", "german"), ("translate", "english")])
def test_the_language_is_that_of_the_text(task: str, language: str) -> None:
    spec = ResponseSpec("translate" if task == "translate" else "transcribe", "verbose_json")
    body = openai_body(replace(SPOKEN, language="de"), spec, MODEL)
    assert isinstance(body, BaseModel)
    assert body.model_dump()["language"] == language


def test_subtitles_past_an_hour_keep_arrows_out_of_their_text() -> None:
    late = replace(SPOKEN, segments=(replace(SEGMENT, start=3600.0, end=3661.5, text=" this --> that "),))
    assert [openai_body(late, ResponseSpec("transcribe", form), MODEL) for form in ("srt", "vtt")] == [
        "1\n01:00:00,000 --> 01:01:01,500\nthis -> that\n\n",
        "WEBVTT\n\n01:00:00.000 --> 01:01:01.500\nthis -> that\n\n",
    ]


@pytest.mark.parametrize(("duration", "seconds"), [(0.0, 0), (2.0, 2), (2.1, 3)])
def test_begun_seconds_count(duration: float, seconds: int) -> None:
    assert usage(replace(SPOKEN, duration=duration)).seconds == seconds


def test_the_plain_body_has_the_code_of_the_language() -> None:
    assert plain_body(SPOKEN).model_dump(include={"text", "language", "duration"}) == {
        "text": "Ask not.",
        "language": "en",
        "duration": 2.5,
    }
