"""A form's fields become decoding options and the response's format, or the message that says what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import UploadFile

from tests.fakes.engine import ENGLISH, MULTILINGUAL, TURBO
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.interface import Abilities
from whisper_runtime.errors import HttpError
from whisper_runtime.http.openai.forms import TranscriptionForm
from whisper_runtime.http.openai.lines import LineLimits
from whisper_runtime.http.openai.options import (
    ResponseSpec,
    check_translates,
    decoding_options,
    language_code,
    response_spec,
    temperature_ladder,
    translation_spec,
)
from whisper_runtime.service.model_info import ModelInfo, ServedModel


def model(abilities: Abilities = MULTILINGUAL, **config: Any) -> ModelInfo:
    return ServedModel(RuntimeConfig(**({"model": "/models/mine.pt"} | config)), abilities).info


def form(**fields: Any) -> TranscriptionForm:
    return TranscriptionForm.model_construct(file=UploadFile(None), model="mine", **fields)


@pytest.mark.parametrize(
    ("fields", "spec"),
    [
        ({}, ResponseSpec("transcribe")),
        ({"response_format": "verbose_json"}, ResponseSpec("transcribe", "verbose_json", segments=True)),
        (
            {"response_format": "verbose_json", "granularities_bare": ["word"]},
            ResponseSpec("transcribe", "verbose_json", segments=False, words=True),
        ),
        (
            {"response_format": "verbose_json", "granularities_in_brackets": ["word", "segment"]},
            ResponseSpec("transcribe", "verbose_json", segments=True, words=True),
        ),
        ({"include_in_brackets": ["logprobs"]}, ResponseSpec("transcribe", logprobs=True)),
        (
            {"response_format": "verbose_json", "include_bare": ["language_probability"]},
            ResponseSpec("transcribe", "verbose_json", language_probability=True),
        ),
        (
            {"response_format": "srt", "max_line_width": 42, "max_line_count": 2},
            ResponseSpec("transcribe", "srt", lines=LineLimits(max_line_width=42, max_line_count=2)),
        ),
        (
            {"response_format": "vtt", "max_line_width": 42, "max_words_per_line": 3},
            ResponseSpec("transcribe", "vtt", lines=LineLimits(max_line_width=42, max_words_per_line=3)),
        ),
        ({"stream": True, "response_format": "text"}, ResponseSpec("transcribe", "text")),
        ({"stream": True, "response_format": "vtt"}, ResponseSpec("transcribe", "vtt")),
    ],
)
def test_the_format_of_the_response(fields: dict[str, Any], spec: ResponseSpec) -> None:
    assert response_spec(form(**fields)) == spec


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"granularities_bare": ["word"]}, "timestamp_granularities[]"),
        ({"response_format": "text", "include_bare": ["logprobs"]}, "include[]"),
        ({"response_format": "verbose_json", "include_bare": ["logprobs"]}, "include[]"),
        ({"include_bare": ["logprobs", "language_probability"]}, "include[]"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(HttpError) as error:
        response_spec(form(**fields))
    assert (error.value.status_code, error.value.body["param"]) == (400, param)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"max_line_width": 42},
            "`max_line_width` is 42, which needs `response_format` to be 'srt' or 'vtt', and it is 'json': change one "
            "of them.",
        ),
        (
            {"response_format": "verbose_json", "max_words_per_line": 3},
            "`max_words_per_line` is 3, which needs `response_format` to be 'srt' or 'vtt', and it is 'verbose_json': "
            "change one of them.",
        ),
        (
            {"response_format": "srt", "max_line_count": 2},
            "`max_line_count` is 2, which has no effect without `max_line_width`: give that too, for example 42.",
        ),
        (
            {"response_format": "srt", "max_line_count": 2, "max_words_per_line": 3},
            "`max_line_count` is 2, which has no effect without `max_line_width`: give that too, for example 42.",
        ),
        (
            {"response_format": "vtt", "max_line_width": 42, "max_line_count": 2, "max_words_per_line": 3},
            "`max_words_per_line` is 3, which has no effect beside `max_line_width` and `max_line_count`: leave it or "
            "one of them out.",
        ),
    ],
)
def test_limits_of_lines_that_would_have_no_effect_are_refused(fields: dict[str, Any], message: str) -> None:
    for spec_of in (response_spec, translation_spec):
        with pytest.raises(HttpError) as error:
            spec_of(form(**fields))
        assert (error.value.status_code, error.value.body["message"]) == (400, message)
        assert error.value.body["param"] == message.split("`")[1]


def test_a_translation_has_its_format_and_its_lines() -> None:
    fields = {"response_format": "srt", "max_words_per_line": 3}
    assert translation_spec(form(**fields)) == ResponseSpec("translate", "srt", lines=LineLimits(max_words_per_line=3))
    assert translation_spec(form()) == ResponseSpec("translate")


@pytest.mark.parametrize(
    ("language", "served", "code"),
    [
        (None, model(), None),
        ("", model(), None),
        (" ", model(language="fr"), "fr"),
        ("auto", model(language="fr"), "fr"),
        (" AUTO ", model(language="fr"), "fr"),
        ("en-US", model(ENGLISH), "en"),
        ("pt_BR", model(), "pt"),
        ("nb", model(), "no"),
        ("日本語", model(), "ja"),
        ("zh-yue", model(TURBO), "yue"),
        ("German", model(), "de"),
        ("yue", model(TURBO), "yue"),
        (None, model(ENGLISH), "en"),
    ],
)
def test_a_language_becomes_a_code(language: str | None, served: ModelInfo, code: str | None) -> None:
    assert language_code(language, served) == code


@pytest.mark.parametrize(
    ("language", "served", "message"),
    [
        (
            "klingon",
            model(),
            "`language` is 'klingon', which is not a language of Whisper; write a code such as en or pt-BR, a name "
            "such as German, or auto to detect it.",
        ),
        (
            "englsh",
            model(),
            "`language` is 'englsh', which is not a language of Whisper; did you mean english? If not, write a code "
            "such as en or pt-BR, a name such as German, or auto to detect it.",
        ),
        (
            "de-AT",
            model(ENGLISH),
            "`language` is 'de-AT', but the model `mine` knows English only: leave `language` out, or use a "
            "multilingual model such as `large-v3`.",
        ),
        (
            "zh-yue-HK",
            model(),
            "`language` is 'zh-yue-HK', which the model `mine` of 99 languages does not know: leave `language` out, or "
            "use a newer model such as `large-v3`.",
        ),
        (
            "de",
            model(ENGLISH),
            "`language` is 'de', but the model `mine` knows English only: leave `language` out, or use a multilingual "
            "model such as `large-v3`.",
        ),
        (
            "yue",
            model(),
            "`language` is 'yue', which the model `mine` of 99 languages does not know: leave `language` out, or use a "
            "newer model such as `large-v3`.",
        ),
    ],
)
def test_a_language_that_is_not_known_is_refused_with_a_remedy(language: str, served: ModelInfo, message: str) -> None:
    with pytest.raises(HttpError) as error:
        language_code(language, served)
    assert error.value.body["message"] == message
    with pytest.raises(HttpError) as error:
        language_code(language, served, field="languages")
    assert error.value.body["message"] == message.replace("`language`", "`languages`")
    assert error.value.body["param"] == "languages"


def test_temperature_0_is_openais_fallback_ladder() -> None:
    assert (temperature_ladder(0), temperature_ladder(0.3)) == ((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), (0.3,))


@pytest.mark.parametrize("conditions", [True, False])
def test_the_server_decides_whether_windows_wait_for_each_other(conditions: bool) -> None:
    served = model(condition_on_previous_text=conditions)
    assert decoding_options(served).condition_on_previous_text == conditions


def test_a_model_that_cannot_translate_says_so() -> None:
    check_translates(model(), param="task")
    with pytest.raises(HttpError) as error:
        check_translates(model(TURBO), param="task")
    assert (error.value.status_code, error.value.body["param"]) == (400, "task")
