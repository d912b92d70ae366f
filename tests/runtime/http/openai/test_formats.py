"""A transcription in each of OpenAI's formats."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import BaseModel

from tests.fakes.engine import MULTILINGUAL, SEGMENT, SPOKEN
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.http.openai.formats import openai_body, plain_body, token_usage, usage
from whisper_runtime.http.openai.forms import ResponseFormat
from whisper_runtime.http.openai.lines import LineLimits
from whisper_runtime.http.openai.options import ResponseSpec
from whisper_runtime.http.openai.responses import TranscriptionVerbose
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


@pytest.mark.parametrize(
    ("response_format", "body"),
    [
        ("srt", "1\n01:00:00,000 --> 01:01:01,500\nAT&T -> us\n\n"),
        ("vtt", "WEBVTT\n\n01:00:00.000 --> 01:01:01.500\nAT&amp;T -&gt; us\n\n"),
    ],
)
def test_subtitles_are_of_cues_that_editors_take(response_format: ResponseFormat, body: str) -> None:
    late, blank = replace(SEGMENT, start=3600.0, end=3690.0, text=" AT&T --> us"), replace(SEGMENT, text=" ")
    found = replace(SPOKEN, duration=3661.5, segments=(blank, late))
    assert openai_body(found, ResponseSpec("transcribe", response_format), MODEL) == body


def test_subtitles_with_limits_are_of_words() -> None:
    spec = ResponseSpec("translate", "srt", lines=LineLimits(max_words_per_line=1))
    assert openai_body(SPOKEN, spec, MODEL) == (
        "1\n00:00:00,000 --> 00:00:01,000\nAsk\n\n2\n00:00:01,000 --> 00:00:02,500\nnot.\n\n"
    )


PLAIN = ResponseSpec("transcribe", "verbose_json")


def test_no_segment_and_no_word_ends_after_the_file() -> None:
    short = replace(SPOKEN, duration=0.75)
    body = openai_body(short, ResponseSpec("transcribe", "verbose_json", words=True), MODEL)
    assert isinstance(body, TranscriptionVerbose)
    assert [(part.start, part.end) for part in (*(body.segments or ()), *(body.words or ()))] == [
        (0.0, 0.75),
        (0.0, 0.75),
        (0.75, 0.75),
    ]
    assert [segment.end for segment in plain_body(short, PLAIN).segments] == [0.75]


@pytest.mark.parametrize(("asked", "detected", "told"), [(True, 0.97, 0.97), (True, None, None), (False, 0.97, None)])
def test_the_probability_of_the_language_is_told_where_it_is_asked_for_and_was_detected(
    asked: bool, detected: float | None, told: float | None
) -> None:
    spec = ResponseSpec("transcribe", "verbose_json", language_probability=asked)
    body = openai_body(replace(SPOKEN, language_probability=detected), spec, MODEL)
    assert isinstance(body, TranscriptionVerbose)
    assert body.language_probability == told


@pytest.mark.parametrize(("duration", "seconds"), [(0.0, 0), (2.0, 2), (2.1, 3)])
def test_begun_seconds_count(duration: float, seconds: int) -> None:
    assert usage(replace(SPOKEN, duration=duration)).seconds == seconds


def test_tokens_are_the_encoders_states_and_those_of_the_text() -> None:
    found = token_usage(replace(SPOKEN, duration=2.51, segments=(SEGMENT, SEGMENT)))
    assert (found.input_tokens, found.output_tokens, found.total_tokens) == (126, 10, 136)


def test_the_plain_body_has_the_code_of_the_language() -> None:
    assert plain_body(SPOKEN, PLAIN).model_dump(include={"text", "language", "duration"}) == {
        "text": "Ask not.",
        "language": "en",
        "duration": 2.5,
    }


def test_the_plain_body_has_more_where_it_is_asked_for() -> None:
    asked = ResponseSpec("transcribe", "verbose_json", words=True, language_probability=True)
    body = plain_body(replace(SPOKEN, language_probability=0.97), asked)
    assert (body.language_probability, [word.word for word in body.words or ()]) == (0.97, ["Ask", "not."])
