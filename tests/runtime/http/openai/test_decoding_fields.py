"""What other servers' clients ask of the decoder, by the names that they have for it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.engine import MULTILINGUAL
from whisper_runtime.contract.config import RuntimeConfig
from whisper_runtime.engine.transcription import Options
from whisper_runtime.errors import HttpError
from whisper_runtime.http.openai.decoding_fields import DecodingFields, decoded_as_asked, given_prompt
from whisper_runtime.service.model_info import ModelInfo, ServedModel


def model(**config: Any) -> ModelInfo:
    return ServedModel(RuntimeConfig(**({"model": "base"} | config)), MULTILINGUAL).info


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, Options()),
        ({"beam_size": 5}, Options(beam_size=5)),
        ({"beam_size": 5, "patience": 2}, Options(beam_size=5, patience=2.0)),
        ({"beam_size": 1, "patience": 2}, Options()),
        ({"best_of": 5, "seed": 1}, Options(best_of=5, seed=1)),
        ({"condition_on_previous_text": False}, Options(condition_on_previous_text=False)),
        ({"hotwords": "kopf, etcd"}, Options(keywords="kopf, etcd")),
        ({"keywords[]": ["kopf", "etcd"]}, Options(keywords="kopf, etcd")),
        ({"keywords": ["kopf"], "keywords[]": ["etcd"], "hotwords": "CRD"}, Options(keywords="etcd, kopf, CRD")),
        ({"without_timestamps": True}, Options(without_timestamps=True)),
        ({"clip_timestamps": "0"}, Options(clip_timestamps=(0.0,))),
        ({"clip_timestamps": "1, 2.5"}, Options(clip_timestamps=(1.0, 2.5))),
    ],
)
def test_fields_become_options(fields: dict[str, Any], wanted: Options) -> None:
    assert decoded_as_asked(Options(), DecodingFields(**fields), model()) == wanted


def test_without_a_wish_the_server_decides_whether_text_is_a_prompt() -> None:
    side_by_side = model(condition_on_previous_text=False)
    assert decoded_as_asked(Options(), DecodingFields(), side_by_side) == Options(condition_on_previous_text=False)
    with pytest.raises(HttpError, match="side by side: leave it out"):
        decoded_as_asked(Options(), DecodingFields(condition_on_previous_text=True), side_by_side)


@pytest.mark.parametrize(
    ("fields", "prompt", "text"),
    [
        ({}, None, None),
        ({}, "A call.", "A call."),
        ({"initial_prompt": "A call."}, "", "A call."),
        ({"hotwords": "kopf"}, "A call.", "A call."),
        ({"hotwords": "kopf", "initial_prompt": "A call."}, None, "A call."),
    ],
)
def test_an_initial_prompt_is_the_prompt(fields: dict[str, str], prompt: str | None, text: str | None) -> None:
    assert given_prompt(DecodingFields(**fields), prompt) == text


@pytest.mark.parametrize("text", ["1,1", "2,1", "-1", "1;2", "1,,2", "inf", ",", "nan"])
def test_clips_are_seconds_that_grow(text: str) -> None:
    with pytest.raises(HttpError, match="for example `0,30,60,90`"):
        decoded_as_asked(Options(), DecodingFields(clip_timestamps=text), model())
