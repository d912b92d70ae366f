"""Speech is detected, and channels are kept apart, by the names that other servers' clients and OpenAI's send."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import UploadFile

from whisper_runtime.engine.speech.spans import SpeechDetection
from whisper_runtime.errors import HttpError
from whisper_runtime.http.openai.forms import PlainForm, TranscriptionForm, TranslationForm
from whisper_runtime.http.openai.speech_fields import SpeechFields, audio_options, is_part_of_object
from whisper_runtime.service.audio_loading import DEFAULT_AUDIO, AudioOptions

FILE = UploadFile(None)
BY_DEFAULT = SpeechDetection()
OPENAIS = SpeechDetection(min_silence_duration_ms=200, speech_pad_ms=300)


def form(**fields: Any) -> SpeechFields:
    return TranscriptionForm.model_validate({"file": FILE, "model": "base", **fields})


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, None),
        ({"vad_filter": "false"}, None),
        ({"vad_filter": "false", "vad_parameters": '{"threshold": 0.2}'}, None),
        ({"vad_filter": "false", "chunking_strategy": "auto"}, None),
        ({"vad_filter": "true"}, BY_DEFAULT),
        ({"vad_filter": "true", "chunking_strategy": "auto"}, BY_DEFAULT),
        ({"vad_filter": "1", "vad_parameters": "{}"}, BY_DEFAULT),
        (
            {"vad_filter": "true", "vad_parameters": '{"threshold": 0.2, "speech_pad_ms": 100, "neg_threshold": 0.1}'},
            SpeechDetection(threshold=0.2, speech_pad_ms=100, neg_threshold=0.1),
        ),
        (
            {
                "vad_filter": "true",
                "vad_parameters[min_silence_duration_ms]": "500",
                "vad_parameters[max_speech_duration_s]": "20",
                "vad_parameters[min_speech_duration_ms]": "250",
            },
            SpeechDetection(min_silence_duration_ms=500, max_speech_duration_s=20, min_speech_duration_ms=250),
        ),
        ({"chunking_strategy": "auto"}, BY_DEFAULT),
        ({"chunking_strategy": '{"type": "server_vad"}'}, OPENAIS),
        ({"chunking_strategy[type]": "server_vad"}, OPENAIS),
        (
            {
                "chunking_strategy[type]": "server_vad",
                "chunking_strategy[threshold]": "0.3",
                "chunking_strategy[prefix_padding_ms]": "150",
                "chunking_strategy[silence_duration_ms]": "1000",
            },
            SpeechDetection(threshold=0.3, min_silence_duration_ms=1000, speech_pad_ms=150),
        ),
    ],
)
def test_what_counts_as_speech(fields: dict[str, str], wanted: SpeechDetection | None) -> None:
    assert audio_options(form(**fields)) == AudioOptions(detection=wanted)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"channels": "mixed"}, DEFAULT_AUDIO),
        # While one side of a call speaks, the other one is silent.
        ({"channels": "separate"}, AudioOptions(True, BY_DEFAULT)),
        ({"channels": "separate", "vad_filter": "false"}, AudioOptions(True, None)),
        ({"channels": "separate", "clip_timestamps": "0,5"}, AudioOptions(True, None)),
        ({"channels": "separate", "chunking_strategy[type]": "server_vad"}, AudioOptions(True, OPENAIS)),
    ],
)
def test_channels(fields: dict[str, str], wanted: AudioOptions) -> None:
    assert audio_options(form(**fields)) == wanted


@pytest.mark.parametrize("kind", [PlainForm, TranslationForm, TranscriptionForm])
def test_every_route_has_them(kind: type[SpeechFields]) -> None:
    fields = {"file": FILE, "model": "base", "channels": "separate", "vad_filter": "true"}
    assert audio_options(kind.model_validate(fields)) == AudioOptions(True, BY_DEFAULT)


@pytest.mark.parametrize(
    ("fields", "param", "says"),
    [
        ({"vad_parameters": "{}"}, "vad_parameters", "needs `vad_filter` to be true"),
        ({"vad_filter": "true", "vad_parameters": "0.5"}, "vad_parameters", "is '0.5': it should be an object in JSON"),
        ({"vad_filter": "true", "vad_parameters": "{"}, "vad_parameters", "an object in JSON"),
        ({"vad_filter": "true", "vad_parameters": "[" * 60_000}, "vad_parameters", "an object in JSON"),
        (
            {"vad_filter": "true", "vad_parameters": "{}", "vad_parameters[threshold]": "1"},
            "vad_parameters",
            "whole and in brackets",
        ),
        (
            {"vad_filter": "true", "vad_parameters": '{"treshold": 1}'},
            "vad_parameters",
            "has `treshold`, which is not known: it takes `threshold`, `neg_threshold`",
        ),
        (
            {"vad_filter": "true", "vad_parameters[threshold]": "loud"},
            "vad_parameters[threshold]",
            "is 'loud': input should be a valid number",
        ),
        (
            {"vad_filter": "true", "vad_parameters": '{"max_speech_duration_s": 1}'},
            "vad_parameters[max_speech_duration_s]",
            "is 1: input should be greater than or equal to 5",
        ),
        ({"vad_filter": "true", "vad_parameters": '{"threshold": NaN}'}, "vad_parameters[threshold]", "finite"),
        ({"chunking_strategy": "server_vad"}, "chunking_strategy", "should be 'auto' or an object in JSON"),
        ({"chunking_strategy": "{}"}, "chunking_strategy[type]", "is missing"),
        ({"chunking_strategy[type]": "vad"}, "chunking_strategy[type]", "is 'vad': input should be 'server_vad'"),
        ({"chunking_strategy[threshold]": "0.5"}, "chunking_strategy[type]", "is missing: field required"),
        (
            {"chunking_strategy[type]": "server_vad", "vad_filter": "true"},
            "chunking_strategy",
            "send one of them",
        ),
        ({"vad_filter": "true", "clip_timestamps": "0,5"}, "clip_timestamps", "send one"),
        ({"channels": "separate", "stream": "true"}, "channels", "leave `stream` out"),
    ],
)
def test_what_cannot_be_heard_so_names_field_and_remedy(fields: dict[str, str], param: str, says: str) -> None:
    with pytest.raises(HttpError) as error:
        audio_options(form(**fields))
    assert (error.value.status_code, error.value.body["param"]) == (400, param)
    assert says in str(error.value.detail)
    assert len(str(error.value.detail)) < 400


def test_parts_in_brackets_are_of_these_fields_alone() -> None:
    assert is_part_of_object("vad_parameters[threshold]")
    assert not is_part_of_object("metadata[a]")
    assert not is_part_of_object("vad_parameters")
    assert not is_part_of_object("vad_parameters[threshold")
